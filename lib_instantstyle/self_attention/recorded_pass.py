"""One pass of the UNet on noised references, which records what their self-attentions are given.

It is the class's own forward: what other extensions, and we, add to a UNet styles the picture, not the reference. It
ends as soon as everything is recorded, before the rest of the UNet is run.
"""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from lib_instantstyle.method.latents import NoiseLevels, with_picture_channels
from lib_instantstyle.self_attention.recorder import Complete, Recorder, Wanted
from lib_instantstyle.self_attention.records import Records
from lib_instantstyle.self_attention.reference import Conditioning, Variant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import nn

    from lib_instantstyle.params.blocks import Block
    from lib_instantstyle.self_attention.reference import Reference

    Forward = Callable[[nn.Module, torch.Tensor, torch.Tensor, Conditioning], object]


def own_forward(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
    """Call the forward of the module's class: neither hooks nor a forward set on this one module take part."""
    return type(module).forward(module, *args, **kwargs)


def ldm_forward(
    unet: nn.Module, latents: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning, **options: Any
) -> object:
    """Call an LDM UNet with ``latents`` ``[rows, channels, h, w]``, ``timesteps`` ``[rows]`` and its host's options."""
    context, vector = conditioning
    return own_forward(unet, latents, timesteps=timesteps, context=context, y=vector, **options)


@contextlib.contextmanager
def without_own_forwards(unet: nn.Module) -> Iterator[None]:
    """Take every ``forward`` that was set on a single module of ``unet`` off it, and put it back afterwards."""
    taken = [(module, module.__dict__.pop("forward")) for module in unet.modules() if "forward" in module.__dict__]
    try:
        yield
    finally:
        for module, forward in taken:
            module.__dict__["forward"] = forward


class RecordedPass:
    """Runs references through a UNet.

    Args:
        unet: The model.
        outputs: The module that puts out each block's features, for blocks that may be wanted.
        references: The pictures.
        noise: The model's noise levels.
        forward: Calls the class's own forward of ``unet`` as the host's does.
    """

    def __init__(
        self,
        unet: nn.Module,
        outputs: Mapping[Block, nn.Module],
        references: Sequence[Reference],
        noise: NoiseLevels,
        forward: Forward = ldm_forward,
    ) -> None:
        self._unet = unet
        self._outputs = outputs
        self._references = references
        self._noise = noise
        self._forward = forward
        self._loaded: dict[object, list[_Batch]] = {}

    def forget(self) -> None:
        """Let go of what lies on the device."""
        self._loaded.clear()

    @torch.no_grad()
    def record(self, wanted: Wanted, latents: torch.Tensor, timesteps: torch.Tensor, timestep: float) -> Records:
        """Return the records at ``timestep``; an error leaves nothing behind.

        Args:
            wanted: What to record; not nothing.
            latents: Those of the UNet's call ``[rows, channels, h, w]``: their dtype, device and channels count.
            timesteps: Those of the call ``[rows]``, all the same.
            timestep: Their value.

        Raises:
            UnsupportedModelError: If the UNet takes other channels than `with_picture_channels` knows, or did not
                run something that was to be recorded.
        """
        records = Records({}, {})
        for batch in self._batches(wanted.references, latents):
            noised = batch.noised(self._noise, timestep, latents.shape[1])
            recorder = Recorder(wanted, batch.rows)
            with without_own_forwards(self._unet), recorder.attached(self._outputs), contextlib.suppress(Complete):
                self._forward(self._unet, noised, timesteps[:1].expand(len(noised)), batch.conditioning)
            recorder.add_to(records)
        return records

    def _batches(self, chosen: tuple[int, ...], latents: torch.Tensor) -> list[_Batch]:
        """Return the rows to run, in batches of one size and text length; they are moved to the device once."""
        known = (chosen, latents.dtype, latents.device)
        if known not in self._loaded:
            rows = [Variant(i, bool(which)) for i in chosen for which in range(len(self._references[i].conditionings))]
            shaped = sorted(rows, key=self._shapes)  # which keeps the order among equals
            groups = [list(group) for _, group in itertools.groupby(shaped, key=self._shapes)]
            self._loaded = {known: [self._batch(group).to(latents) for group in groups]}
        return self._loaded[known]

    def _conditioning(self, row: Variant) -> Conditioning:
        return self._references[row.reference].conditionings[row.unconditional]

    def _shapes(self, row: Variant) -> tuple[tuple[int, ...], ...]:
        return tuple(self._references[row.reference].latent.shape), tuple(self._conditioning(row).context.shape)

    def _batch(self, rows: list[Variant]) -> _Batch:
        references = [self._references[row.reference] for row in rows]
        contexts, vectors = zip(*map(self._conditioning, rows), strict=True)
        vector = None if vectors[0] is None else torch.cat(vectors)
        clean = torch.cat([reference.latent for reference in references])
        noise = torch.cat([reference.noise for reference in references])
        return _Batch(tuple(rows), clean, noise, Conditioning(torch.cat(contexts), vector))


class _Batch(NamedTuple):
    """Rows that are run together."""

    rows: tuple[Variant, ...]
    clean: torch.Tensor
    noise: torch.Tensor
    conditioning: Conditioning

    def to(self, latents: torch.Tensor) -> _Batch:
        clean, noise, context = (tensor.to(latents) for tensor in (self.clean, self.noise, self.conditioning.context))
        vector = self.conditioning.vector
        return _Batch(self.rows, clean, noise, Conditioning(context, None if vector is None else vector.to(latents)))

    def noised(self, noise: NoiseLevels, timestep: float, channels: int) -> torch.Tensor:
        """Return ``√ᾱ·z₀ + √(1 − ᾱ)·ε`` with the channels that the UNet takes."""
        picture, rest = noise.at(timestep)
        return with_picture_channels(picture * self.clean + rest * self.noise, self.clean, channels)
