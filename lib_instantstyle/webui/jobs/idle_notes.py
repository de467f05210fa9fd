"""Notes on what does not act in a sampling pass: whole styles, and parts of the accordion's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lib_instantstyle import NAME
from lib_instantstyle.method.schedule import Schedule, StrengthWatch
from lib_instantstyle.params.tags import StyleTag
from lib_instantstyle.unet.call import UNetCall
from lib_instantstyle.webui.jobs.picture_record import PictureRecord
from lib_instantstyle.webui.styles.idle import left_out, to_raise
from lib_instantstyle.webui.styles.prepared_style import PreparedStyle

ReadCall = Callable[[tuple[Any, ...], Mapping[str, Any]], UNetCall]


class IdleNotes:
    """Writes to ``record`` which styles of the present pass do nothing, as soon as that is known."""

    def __init__(self, record: PictureRecord) -> None:
        self._record = record
        self.begin(hires=False)

    def begin(self, *, hires: bool) -> None:
        """Forget the pass before."""
        self._hires = hires
        self._strengths = StrengthWatch[StyleTag | None]()

    def watch(self, tag: StyleTag | None, style: PreparedStyle, schedules: Sequence[Schedule]) -> None:
        """Watch whether any of the ``schedules`` by which a style acts meets a step; with none it has nothing to do."""
        if schedules:
            self._strengths.watch(tag, schedules)
        else:
            raised = " or ".join(to_raise(style.params, hires=self._hires))
            self._record.note(f"{self._called(tag)} had nothing to do: raise {raised} above 0.")

    def noting(self, read_call: ReadCall) -> ReadCall:
        """Return ``read_call``, which explains a call of the UNet, with a look at the call's timesteps."""

        def read(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> UNetCall:
            call = read_call(args, kwargs)
            self._strengths.note(call.timesteps)
            return call

        return read

    def end(self) -> None:
        """Note the styles whose schedules met no step."""
        for tag in self._strengths.missed():
            self._say(f"{self._called(tag)} did nothing: no step falls where its strength is above 0")

    def left_out(self, style: PreparedStyle, stretched: Mapping[int, tuple[int, int]], *, is_guided: bool) -> None:
        """Note which parts of the accordion's style could not act, or not as they were given.

        ``stretched`` has the sizes of stretched masks by the number of their reference.
        """
        said = left_out(style.params, style.roles, style.masks, is_guided=is_guided)
        idle = [each.note for each in said if each.note]
        for number, size in stretched.items():
            painted = "×".join(map(str, size))
            idle.append(f"the mask of reference {number} is {painted} and was stretched to the picture's shape")
        for text in idle:
            self._record.note(f"{NAME}: {text}")
            self._record.remark(text)

    def _say(self, text: str) -> None:
        self._record.note(text)
        self._record.remark(text)

    def _called(self, tag: StyleTag | None) -> str:
        return f"{f'<instantstyle:{tag.name}>' if tag else NAME}{' (hires pass)' if self._hires else ''}"
