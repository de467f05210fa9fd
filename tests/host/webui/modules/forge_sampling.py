"""One denoising step of the Forge family: its chunks, each of one kind, and the UNet calls that they are joined to.

A chunk has one row a picture: the negative prompt, or one part of every picture's prompt. The last chunk comes first.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from modules.forge_memory import get_free_memory, memory_required

COND, UNCOND = 0, 1
_MOST_REPEATS = 4  # of the shorter of two texts that share a call

ApplyModel = Callable[..., torch.Tensor]


class Chunk(NamedTuple):
    kind: int
    text: dict[str, torch.Tensor]
    strength: float = 1.0

    @property
    def tokens(self) -> int:
        return self.text["c_crossattn"].shape[1]

    def joins(self, other: Chunk) -> bool:
        """Whether both may share a call: texts are repeated up to a common length, unless that is too long."""
        if self.text.keys() != other.text.keys():
            return False
        return math.lcm(self.tokens, other.tokens) // min(self.tokens, other.tokens) <= _MOST_REPEATS


def chunks_of(cond: Any, uncond: Any, composition: list[list[tuple[int, float]]]) -> list[Chunk]:
    """Return the chunks of a step. Pictures with more parts than the others lose the last ones."""
    chunks = []
    for parts in zip(*composition, strict=False):
        rows = [row for row, _ in parts]
        chunks.append(Chunk(COND, _text(cond, rows), parts[-1][1]))
    return chunks if uncond is None else [*chunks, Chunk(UNCOND, _text(uncond, slice(None)))]


def _text(text: Any, rows: Any) -> dict[str, torch.Tensor]:
    if isinstance(text, dict):
        return {"c_crossattn": text["crossattn"][rows], "y": text["vector"][rows]}
    return {"c_crossattn": text[rows]}


def denoise(apply_model: ApplyModel, chunks: list[Chunk], x: torch.Tensor, sigma: torch.Tensor, scale: float,
            options: dict[str, Any]) -> torch.Tensor:  # fmt: skip
    """Return the guided prediction. Without a chunk of the negative prompt its prediction counts as 0."""
    total = sum(chunk.strength for chunk in chunks if chunk.kind == COND)
    if math.isclose(scale, 1.0):
        chunks = [chunk for chunk in chunks if chunk.kind == COND]
    cond, uncond = predict(apply_model, chunks, x, sigma, options)
    return uncond + (cond - uncond) * scale * (1.0 if math.isclose(total, 1.0) else total)


def predict(
    apply_model: ApplyModel, chunks: list[Chunk], x: torch.Tensor, sigma: torch.Tensor, options: dict[str, Any]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Run the chunks in as few calls as there is room for; return both kinds' weighted means."""
    sums, weights, waiting = [torch.zeros_like(x), torch.zeros_like(x)], [0.0, 0.0], list(chunks)
    while waiting:
        taken = [waiting.pop(index) for index in _fitting(waiting, x)]
        for chunk, part in zip(taken, _call(apply_model, taken, x, sigma, options).chunk(len(taken)), strict=True):
            sums[chunk.kind] += part * chunk.strength
            weights[chunk.kind] += chunk.strength
    cond, uncond = (total / (weight or 1.0) for total, weight in zip(sums, weights, strict=True))
    return cond, uncond


def _fitting(waiting: list[Chunk], x: torch.Tensor) -> list[int]:
    """Return which chunks the next call has, the last first: all that join the first one, or a part of them."""
    joining = [index for index, chunk in enumerate(waiting) if chunk.joins(waiting[0])][::-1]
    for share in range(1, len(joining) + 1):
        part = joining[: len(joining) // share]
        if memory_required([len(part) * x.shape[0], *x.shape[1:]]) < get_free_memory(x.device):
            return part
    return joining[:1]


def _call(
    apply_model: ApplyModel, chunks: list[Chunk], x: torch.Tensor, sigma: torch.Tensor, options: dict[str, Any]
) -> torch.Tensor:
    kinds = [chunk.kind for chunk in chunks]
    tokens = math.lcm(*(chunk.tokens for chunk in chunks))
    texts = [chunk.text["c_crossattn"].repeat(1, tokens // chunk.tokens, 1) for chunk in chunks]
    c: dict[str, Any] = {"c_crossattn": torch.cat(texts)}
    if "y" in chunks[0].text:
        c["y"] = torch.cat([chunk.text["y"] for chunk in chunks])
    c["transformer_options"] = {**options.get("transformer_options", {}), "cond_or_uncond": kinds, "sigmas": sigma}
    batch, sigmas = torch.cat([x] * len(chunks)), torch.cat([sigma] * len(chunks))
    if wrapper := options.get("model_function_wrapper"):
        return wrapper(apply_model, {"input": batch, "timestep": sigmas, "c": c, "cond_or_uncond": kinds})
    return apply_model(batch, sigmas, **c)
