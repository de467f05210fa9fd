"""The references of one style, as self-attentions read them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from lib_instantstyle.method.latents import Latents, PictureLatent
from lib_instantstyle.method.schedule import Schedule
from lib_instantstyle.method.statistics import Statistics, mean_statistics
from lib_instantstyle.params.blocks import BLOCKS
from lib_instantstyle.params.combination import Combine
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.pictures.regions import Mask
from lib_instantstyle.self_attention.calibration import Calibration
from lib_instantstyle.self_attention.reference import Reference
from lib_instantstyle.self_attention.sources import AttentionSource, BlockSource, Wish, attention_sources, shifted
from lib_instantstyle.webui.hosts.host import Host

_LATENT = 8  # pixels of a picture per pixel of its latent


class _Encoded(NamedTuple):
    """A style's references, and its layout picture where it acts."""

    style: tuple[Reference, ...]
    layout: tuple[Reference, ...]


class PassReading(NamedTuple):
    """What self-attentions read in one sampling pass."""

    references: tuple[Reference, ...]
    sources: tuple[AttentionSource | BlockSource, ...]  # whose indices count from 0
    calibrations: tuple[Calibration, ...]
    every: int  # as in `self_attention.reading.Way`

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """The schedules of what has a weight, and a strength anywhere."""
        weighed = [source.schedule for source in self.sources if any(source.weights.values()) and source.references]
        found = [*weighed, *(calibration.schedule for calibration in self.calibrations)]
        return tuple(schedule for schedule in dict.fromkeys(found) if schedule.acts)  # sources share one


@dataclass(frozen=True)
class PreparedReading:
    """The references of one style, encoded when a pass needs them.

    Attributes:
        params: The style's settings.
        host: Conditions the references.
        latents: Encodes the pictures for a width and height that a job samples.
        masks: Regions by the index of their reference.
        factor: The weight of the style's tag.
    """

    params: StyleParams
    host: Host
    latents: Callable[[tuple[int, int]], Latents]
    masks: Mapping[int, Mask] = field(default_factory=dict)
    factor: float = 1.0
    _known: dict[Hashable, _Encoded] = field(default_factory=dict, init=False, repr=False, compare=False)

    def encode(self, size: tuple[int, int]) -> _Encoded:
        """Return the pictures for a job that samples ``size``; call it before sampling, as VAE and text towers run.

        Raises:
            InstantStyleError: If a picture cannot be encoded, or the checkpoint is not SDXL's.
        """
        known = (size, self.host.model_state(), self.host.vae_fingerprint())
        if known not in self._known:
            latents = self.latents(size)
            layout = [latents.layout] if latents.layout and self.params.block_adain else []
            self._known.clear()
            self._known[known] = _Encoded(*(tuple(map(self._reference, some)) for some in (latents.style, layout)))
        return self._known[known]

    def of_pass(self, size: tuple[int, int], pictures: frozenset[int] | None, *, hires: bool) -> PassReading:
        """Return what acts in the first or the hires pass of a job that samples ``size``.

        ``pictures`` are those of the job that it acts on; None is all.

        Raises:
            ParameterError: If the settings contradict each other.
        """
        params, (style, layout) = self.params, self.encode(size)
        weights = params.reference_weights(len(style))
        targets = {target: weight * self.factor for target, weight in params.self_weights.items()}
        wish = Wish(targets, Schedule.of_pass(params, hires=hires), params.rule, pictures)
        sources: list[AttentionSource | BlockSource] = [*attention_sources(wish, weights, params.combine, self.masks)]
        if params.block_adain:
            sources.append(self._blocks(wish, weights, has_layout=bool(layout)))
        calibrations = (self._calibration(style, weights, pictures),) if params.calibration else ()
        return PassReading(style + layout, tuple(sources), calibrations, int(params.every))

    def _reference(self, picture: PictureLatent) -> Reference:
        height, width = (_LATENT * length for length in picture.latent.shape[2:])
        caption = self.params.reference_caption
        nothing = self.host.conditioning("", width, height)
        latent = picture.latent.float()
        if not caption:
            return Reference(picture.sha256, latent, nothing)
        return Reference(picture.sha256, latent, self.host.conditioning(caption, width, height), nothing)

    def _blocks(self, wish: Wish, weights: list[float], *, has_layout: bool) -> BlockSource:
        """Return what carries the composition: the layout picture's, or else that of the references."""
        cycle: tuple[tuple[int, ...], ...]
        if has_layout:
            cycle, factors = ((len(weights),),), [1.0]
        elif self.params.combine is Combine.PER_PICTURE:
            cycle, factors = (
                tuple((index,) for index in range(len(weights))),
                [float(bool(weight)) for weight in weights],
            )
        else:
            cycle, factors = (tuple(index for index, weight in enumerate(weights) if weight),), [1.0]
        amount = dict.fromkeys(BLOCKS, self.params.block_adain * self.factor)
        return BlockSource(cycle, tuple(factors), wish.rule, wish.schedule, wish.pictures, amount)

    def _calibration(
        self, style: tuple[Reference, ...], weights: list[float], pictures: frozenset[int] | None
    ) -> Calibration:
        params = self.params
        colours = tuple(reference.colours for reference in style)
        if params.combine is not Combine.PER_PICTURE:
            colours = (_blended(colours, weights),)
        schedule = Schedule(params.calibration_start, params.calibration_end)
        return Calibration(colours, params.calibration * min(1.0, self.factor), schedule, pictures)


def joined(readings: list[PassReading]) -> PassReading | None:
    """Return all that self-attentions read in one pass; None if it is nothing."""
    if not readings:
        return None
    references: tuple[Reference, ...] = ()
    sources: list[AttentionSource | BlockSource] = []
    for reading in readings:
        sources += [shifted(source, len(references)) for source in reading.sources]
        references += reading.references
    calibrations = tuple(calibration for reading in readings for calibration in reading.calibrations)
    return PassReading(references, tuple(sources), calibrations, min(reading.every for reading in readings))


def _blended(colours: tuple[Statistics, ...], weights: list[float]) -> Statistics:
    acting = [(own, weight) for own, weight in zip(colours, weights, strict=True) if weight]
    return mean_statistics([own for own, _ in acting], [weight for _, weight in acting])
