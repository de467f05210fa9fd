"""A picture that is dropped where the settings would ignore it: the settings follow, and a toast says so."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import gradio as gr

from lib_instantstyle.errors import InstantStyleError
from lib_instantstyle.params.blocks import Preset
from lib_instantstyle.pictures.decoding import load_picture
from lib_instantstyle.webui.page.section import Section

_WITH_LAYOUT = {Preset.STYLE: Preset.STYLE_LAYOUT, Preset.STRONG_STYLE: Preset.ALL}
_SUBJECT_WEIGHT = 0.2  # https://arxiv.org/abs/2407.00788 keeps the subject with it


class PictureEffects(Section):
    """Chooses a preset with layout for a layout picture, and a weight for a subject picture; it has no components."""

    def connect(self) -> None:
        """Follow uploads alone: what was pasted or saved has settings of its own."""
        fields = self._fields
        for name, setting, settle in (
            ("layout_image", fields["preset"], _preset_with_layout),
            ("subject_image", fields["subject_weight"], _subject_weight),
        ):
            given = {"inputs": [fields[name], setting], "outputs": [setting], "show_progress": False}
            fields[name].upload(functools.partial(_if_readable, settle), **given)


def _if_readable(settle: Callable[[Any], Any], picture: Any, setting: Any) -> Any:
    """Return what ``settle`` makes of ``setting``; what is no picture changes nothing, and the status line says so."""
    with contextlib.suppress(InstantStyleError):
        if load_picture(picture, name="picture"):
            return settle(setting)
    return gr.update()


def _preset_with_layout(preset: str) -> Any:
    wanted = _WITH_LAYOUT.get(Preset(preset))
    if wanted is None:  # it takes the layout already, or the weights are the user's own
        return gr.update()
    gr.Info("The preset is now one with layout, so that the layout picture acts.")
    return wanted.value


def _subject_weight(weight: float) -> Any:
    if weight:
        return gr.update()
    gr.Info("Subject weight is 0.2 now, so that the subject picture acts.")
    return _SUBJECT_WEIGHT
