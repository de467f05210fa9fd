"""The styling of one processing object: the accordion's style and those of its prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lib_instantstyle import NAME
from lib_instantstyle.declared import Passes
from lib_instantstyle.errors import ParameterError
from lib_instantstyle.injection import Injection
from lib_instantstyle.params import StyleParams
from lib_instantstyle.regions import WHOLE, Frame
from lib_instantstyle.sites import enumerate_sites
from lib_instantstyle.webui import infotext, models
from lib_instantstyle.webui.notes import note
from lib_instantstyle.webui.stylist import Stylist, from_accordion, from_prompt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from lib_instantstyle.layers import Styling
    from lib_instantstyle.memo import TensorMemo
    from lib_instantstyle.plan import ImageTerm
    from lib_instantstyle.webui.host import A1111Host

_SHORT = 12  # digits of a hash
_LIMIT = 3.0  # of the weight of a saved style in a prompt


class Tag(NamedTuple):
    """``<instantstyle:name:weight>`` in a prompt."""

    name: str
    weight: float


def read_tags(written: Sequence[tuple[str, ...]]) -> list[Tag]:
    """Read the tags of a prompt; a style that is named twice has the sum of its weights.

    Raises:
        ParameterError: If a tag has another form, or its weight is no number from −3 to 3.
    """
    tags: dict[str, Tag] = {}
    for parts in written:
        name, weight = _read_tag(parts)
        known = tags.get(name.lower(), Tag(name, 0.0))  # file names ignore case on some systems: here everywhere
        tags[name.lower()] = _within_limit(Tag(known.name, known.weight + weight))
    return [tag for tag in tags.values() if tag.weight]


def _read_tag(parts: tuple[str, ...]) -> Tag:
    text = f"<instantstyle:{':'.join(parts)}>"
    try:
        name, weight = (parts[0].strip(), 1.0) if len(parts) == 1 else (parts[0].strip(), float(parts[1]))
    except ValueError:
        name = ""
    if not name or len(parts) > 2:
        raise ParameterError(f"The prompt has {text}, which is not understood. Write <instantstyle:name:0.8>.")
    return Tag(name, weight)


def _within_limit(tag: Tag) -> Tag:
    if not -_LIMIT <= tag.weight <= _LIMIT:
        raise ParameterError(
            f"The weight of <instantstyle:{tag.name}> is {tag.weight:g} in all; it must be between −{_LIMIT:g} and "
            f"{_LIMIT:g}."
        )
    return tag


class Job:
    """Everything one processing object needs.

    Args:
        host: The model side of the WebUI.
        memo: What earlier jobs computed.

    Attributes:
        params: Of the accordion; None where it is off.
        tags: Of the prompt of the coming pass, as written.
        host: The model side of the WebUI.
    """

    def __init__(self, host: A1111Host, memo: TensorMemo) -> None:
        self.params: StyleParams | None = None
        self.tags: tuple[tuple[str, ...], ...] = ()
        self.host = host
        self._memo = memo
        self._accordion: Stylist | None = None
        self._tagged: dict[Tag, Stylist] = {}
        self._terms: dict[Tag | None, tuple[ImageTerm, ...]] = {}
        self._planned_for: nn.Module | None = None
        self._frame: Frame = WHOLE

    def prepare(self, p: Any) -> None:
        """Read the accordion's pictures, adapter and encoder.

        Raises:
            InstantStyleError: If one of them cannot be used.
        """
        if self.params is not None:
            pictures = getattr(p, "init_images", None) or [None]
            self._accordion = from_accordion(self.params, self.host, pictures[0])
            self._accordion.check_shape(*_picture_size(p))

    def acts_on(self, p: Any) -> bool:
        """Whether anything acts in the sampling pass that ``p`` is in."""
        return bool(self.tags) or self._takes_part(p)

    def begin_sampling(self, p: Any, conditioning: Any) -> None:
        """Note what the coming pass samples."""
        self._frame = self.host.begin_sampling(p, conditioning)

    def injection(self, p: Any) -> Injection | None:
        """Build the injection into the UNet that is loaded now; None if every weight is 0.

        Raises:
            InstantStyleError: If a saved style cannot be used, the UNet is no SDXL base model, or does not fit the
                adapter.
        """
        unet = self.host.unet()
        if self._planned_for is not unet:
            self._terms.clear()
            self._planned_for = unet
        stylings = {tag: self._styling(tag, stylist, unet, p) for tag, stylist in self._wanted(p).items()}
        for tag in (tag for tag, styling in stylings.items() if not styling.terms):
            style = f"<instantstyle:{tag.name}>" if tag else NAME
            note(p, f"{style} had nothing to do: every block's weight is 0. Raise a weight, or choose another preset.")
        acting = [styling for styling in stylings.values() if styling.terms]
        return Injection(unet, acting, self.host.describe_call, self._frame) if acting else None

    def record(self, p: Any) -> None:
        """Write the infotext: called only after the injection is in place."""
        acting = self._acting(p)
        accordion = acting.get(None)
        if accordion is not None:
            sha256 = models.adapter_sha256(accordion.adapter)
            p.extra_generation_params.update(infotext.write(accordion, sha256, hires=_has_hires(p)))
            _record_idle(p, accordion)
        saved = {tag.name if tag else stylist.params.style: stylist.saved_sha256 for tag, stylist in acting.items()}
        saved = {name: sha256[:_SHORT] for name, sha256 in saved.items() if sha256}
        if saved:
            p.extra_generation_params.update(infotext.write_styles(saved))

    def summary(self, p: Any) -> str:
        """Return what acts, for the log."""
        acting = self._acting(p).items()
        return "; ".join(f"{tag.name}: {stylist.summary()}" if tag else stylist.summary() for tag, stylist in acting)

    def _takes_part(self, p: Any) -> bool:
        """Whether the accordion's style takes part in this pass."""
        if self._accordion is None:
            return False
        if not _has_hires(p):
            return True
        wanted = Passes.HIRES if p.is_hr_pass else Passes.FIRST
        return self._accordion.params.passes in (Passes.BOTH, wanted)

    def _wanted(self, p: Any) -> dict[Tag | None, Stylist]:
        """Return what takes part in this pass: the accordion's style under None, and the prompt's."""
        wanted: dict[Tag | None, Stylist] = {}
        if self._accordion is not None and self._takes_part(p):
            wanted[None] = self._accordion
        for tag in read_tags(self.tags):
            if tag not in self._tagged:
                self._tagged[tag] = from_prompt(tag.name, tag.weight, self.host)
            wanted[tag] = self._tagged[tag]
        return wanted

    def _acting(self, p: Any) -> dict[Tag | None, Stylist]:
        """Return what of it acts anywhere; known once the injection is built."""
        return {tag: stylist for tag, stylist in self._wanted(p).items() if self._terms[tag]}

    def _styling(self, tag: Tag | None, stylist: Stylist, unet: nn.Module, p: Any) -> Styling:
        if tag not in self._terms:
            self._terms[tag] = stylist.terms(enumerate_sites(unet), self._memo)
        return stylist.styling(self._terms[tag], hires=bool(getattr(p, "is_hr_pass", False)))


def _has_hires(p: Any) -> bool:
    return bool(getattr(p, "enable_hr", False))


def _record_idle(p: Any, stylist: Stylist) -> None:
    """Say what of the accordion's style did not act, though it was given."""
    idle = []
    if stylist.ignores_layout:
        idle.append("the layout picture was left out, since the preset or its weights leave the layout block out")
    if p.cfg_scale <= 1.0 and stylist.needs_guidance:
        idle.append("anti-layout and negative picture act through CFG only")
    for text in idle:
        note(p, f"{NAME}: {text}")
    if idle:
        p.extra_generation_params[infotext.NOTE] = "; ".join(idle)


def _picture_size(p: Any) -> tuple[int, int]:
    """Return the size of the whole picture that region masks are painted for."""
    cropped = getattr(p, "inpaint_full_res", False) and getattr(p, "image_mask", None) is not None
    size: tuple[int, int] = p.init_images[0].size if cropped else (p.width, p.height)
    return size
