"""The styling of one processing object: the accordion's style and those of its prompts."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from lib_instantstyle import NAME
from lib_instantstyle.declared import Passes
from lib_instantstyle.injection import Injection
from lib_instantstyle.params import StyleParams
from lib_instantstyle.regions import WHOLE, Frame
from lib_instantstyle.sites import enumerate_sites
from lib_instantstyle.tags import Tag, read_tags
from lib_instantstyle.webui import infotext, models
from lib_instantstyle.webui.effort import Effort
from lib_instantstyle.webui.notes import note
from lib_instantstyle.webui.stylist import Stylist, from_accordion, from_prompt

if TYPE_CHECKING:
    from torch import nn

    from lib_instantstyle.layers import Styling
    from lib_instantstyle.memo import TensorMemo
    from lib_instantstyle.plan import ImageTerm
    from lib_instantstyle.webui.host import A1111Host

logger = logging.getLogger("instantstyle")
_SHORT = 12  # digits of a hash


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
        self._effort = Effort(memo)
        self._memo = memo
        self._accordion: Stylist | None = None
        self._tagged: dict[Tag, Stylist] = {}
        self._terms: dict[Tag | None, tuple[ImageTerm, ...]] = {}
        self._planned_for: nn.Module | None = None
        self._frame: Frame = WHOLE
        self._reported: list[str] = []

    def prepare(self, p: Any) -> None:
        """Read the accordion's pictures, adapter and encoder.

        Raises:
            InstantStyleError: If one of them cannot be used.
        """
        if self.params is not None:
            pictures = getattr(p, "init_images", None) or [None]
            with self._effort:
                self._accordion = from_accordion(self.params, self.host, pictures[0], self._effort)
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
        with self._effort:
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

    def report(self, p: Any) -> None:
        """Log what acts and what it took to prepare: one line a job, unless a later pass differs."""
        acting = self._acting(p).items()
        styles = [f"{tag.name}: {stylist.summary()}" if tag else stylist.summary() for tag, stylist in acting]
        if styles != self._reported:
            logger.info("%s; %s", "; ".join(styles), self._effort)
        self._reported, self._effort = styles, Effort(self._memo)

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
