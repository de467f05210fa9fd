"""The rows of the AUTOMATIC1111 WebUI's UNet calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from lib_instantstyle.errors import UnsupportedModelError
from lib_instantstyle.unet.call import UNetCall
from lib_instantstyle.unet.rows import RowCursor, best_matches, compare_texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class A1111Pass:
    """Identifies the rows of each call by their order in the denoising step and their texts; see `RowCursor`."""

    def __init__(self, parts: Sequence[int], first_picture: int) -> None:
        self._parts = parts
        self._first_picture = first_picture
        self._cursor = RowCursor()
        self._step: Any = None

    def begin_step(self, step: Any) -> None:
        """Restart the cursor. Its texts are read later, since other extensions' callbacks may still exchange them."""
        self._step = step
        conditional, unconditional = step.text_cond.shape[0], step.text_uncond.shape[0]
        block = _block(step, conditional, conditional + unconditional)
        self._cursor.begin_step(self._parts, conditional, unconditional, self._first_picture, block)

    def read_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> UNetCall:
        """Read a call ``unet(x, timesteps=…, context=…, y=…)``; refuse those of WebUIs that order rows differently."""
        if "transformer_options" in kwargs:  # passed by the Forge family only, which puts unconditional rows first
            raise UnsupportedModelError(
                "This WebUI calls the UNet as the Forge family does, but has no modules_forge by which InstantStyle "
                "knows that family: the style would act on the wrong rows. Switch InstantStyle off, and report this."
            )
        timesteps, context, vector = (
            kwargs.get(name, args[place] if len(args) > place else None)
            for place, name in ((1, "timesteps"), (2, "context"), (3, "y"))
        )
        rows = self._cursor.take(
            args[0].shape[0],
            None if context is None else context.shape[1],
            None if context is None or self._step is None else lambda: self._candidates(context, vector),
        )
        return UNetCall(rows, timesteps, context)

    def _candidates(self, context: torch.Tensor, vector: torch.Tensor | None) -> list[frozenset[int]]:
        """Return the rows of the step with the same tokens; of these those with the same pooled vector, if any."""
        texts = [self._step.text_cond, self._step.text_uncond]
        common = compare_texts(context, [_part(text, "crossattn") for text in texts])
        if vector is not None and all(isinstance(text, dict) and "vector" in text for text in texts):
            known = torch.cat([text["vector"] for text in texts]).to(vector.device, vector.dtype)
            if known.shape[1] == vector.shape[1]:
                common = 2 * common + (common > 0) * (vector[:, None] == known).all(dim=2)
        return best_matches(common)


def _part(text: Any, name: str) -> torch.Tensor:
    tensor: torch.Tensor = text[name] if isinstance(text, dict) else text
    return tensor


def _block(step: Any, conditional: int, total: int) -> int:
    """Return how many rows the host sends in each call of the step; 0 where it splits the step."""
    from modules import shared

    opts = shared.opts
    lengths = {_part(text, "crossattn").shape[1] for text in (step.text_cond, step.text_uncond)}
    padded = getattr(opts, "pad_cond_uncond", False) or getattr(opts, "pad_cond_uncond_v0", False)
    if not getattr(opts, "batch_cond_uncond", True):
        return 0
    if _skips_unconditional(step):
        return conditional
    return total if len(lengths) == 1 or padded else 0


def _skips_unconditional(step: Any) -> bool:
    """Whether the host leaves out the unconditional rows: "Ignore negative prompt during early sampling", or NGMS."""
    from modules import shared

    opts, denoiser = shared.opts, step.denoiser
    early = getattr(opts, "skip_early_cond", 0.0)
    if early and denoiser.step / denoiser.total_steps <= early:
        return True
    limit = getattr(denoiser.sampler, "s_min_uncond", 0.0) or 0.0
    odd_enough = denoiser.step % 2 or getattr(opts, "s_min_uncond_all", False)
    return bool(limit > 0 and odd_enough and step.sigma[0] < limit)
