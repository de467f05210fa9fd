"""Attention optimisers: each a replacement of ``CrossAttention.forward`` on the class.

They compute the same and differ in how they reach ``to_out``: as a call, by index, or unpacked; the three shapes
that the real host's optimisers have.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from sgm.modules import attention
from torch.nn import functional as F

Forward = Callable[..., torch.Tensor]
_original_forward = attention.CrossAttention.forward
_CHUNK = 256  # queries


class SdOptimization(NamedTuple):
    name: str
    label: str | None
    forward: Forward
    priority: int

    def title(self) -> str:
        return f"{self.name} - {self.label}" if self.label else self.name

    def is_available(self) -> bool:
        return True

    def apply(self) -> None:
        attention.CrossAttention.forward = self.forward


def _project(module: Any, x: torch.Tensor, context: torch.Tensor | None) -> list[torch.Tensor]:
    from modules import shared

    context = x if context is None else context
    parts = [module.to_q(x), module.to_k(context), module.to_v(context)]
    if shared.opts.upcast_attn:
        parts = [part.float() for part in parts]
    return [attention.split_heads(part, module.heads) for part in parts]


def _plain_attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    return (query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])).softmax(dim=-1) @ value


def sdp_forward(self: Any, x: torch.Tensor, context: Any = None, mask: Any = None, **_kwargs: Any) -> torch.Tensor:
    query, key, value = _project(self, x, context)
    out = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    out = self.to_out[0](attention.join_heads(out).to(x.dtype))
    return self.to_out[1](out)


def v1_forward(self: Any, x: torch.Tensor, context: Any = None, mask: Any = None, **_kwargs: Any) -> torch.Tensor:
    query, key, value = _project(self, x, context)
    rows = [_plain_attention(*(part[i : i + 1] for part in (query, key, value))) for i in range(x.shape[0])]
    return self.to_out(attention.join_heads(torch.cat(rows)).to(x.dtype))


def sub_quadratic_forward(
    self: Any, x: torch.Tensor, context: Any = None, mask: Any = None, **_kwargs: Any
) -> torch.Tensor:
    query, key, value = _project(self, x, context)
    chunks = [_plain_attention(part, key, value) for part in query.split(_CHUNK, dim=2)]
    out_proj, dropout = self.to_out
    return dropout(out_proj(attention.join_heads(torch.cat(chunks, dim=2)).to(x.dtype)))


def invokeai_forward(self: Any, x: torch.Tensor, context: Any = None, mask: Any = None, **_kwargs: Any) -> torch.Tensor:
    query, key, value = _project(self, x, context)
    return self.to_out(attention.join_heads(_plain_attention(query, key, value)).to(x.dtype))


def list_optimizers(found: list[SdOptimization]) -> None:
    """Append the host's own optimisers."""
    found += [
        SdOptimization("sdp-no-mem", "scaled dot product without memory efficient attention", sdp_forward, 80),
        SdOptimization("sdp", "scaled dot product", sdp_forward, 70),
        SdOptimization("sub-quadratic", None, sub_quadratic_forward, 10),
        SdOptimization("V1", "original v1", v1_forward, 10),
        SdOptimization("InvokeAI", None, invokeai_forward, 1000 if not torch.cuda.is_available() else 10),
        SdOptimization("Doggettx", None, v1_forward, 90),
    ]


def undo() -> None:
    """Put the plain forward back."""
    attention.CrossAttention.forward = _original_forward
