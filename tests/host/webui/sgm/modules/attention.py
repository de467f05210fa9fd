"""Transformer blocks of an LDM UNet."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


class GEGLU(nn.Module):
    """A linear layer whose second half gates the first."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, 2 * inner)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        value, gate = self.proj(x).chunk(2, dim=-1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        inner = 4 * width
        self.net = nn.Sequential(GEGLU(width, inner), nn.Dropout(0.0), nn.Linear(inner, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)


class CrossAttention(nn.Module):
    """Attention to ``context``, or to ``x`` itself without one. Optimisers replace ``forward`` on the class."""

    def __init__(self, width: int, context: int | None, heads: int) -> None:
        super().__init__()
        context = width if context is None else context
        self.heads = heads
        self.scale = (width // heads) ** -0.5
        self.backend = None
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context, width, bias=False)
        self.to_v = nn.Linear(context, width, bias=False)
        self.to_out = nn.Sequential(nn.Linear(width, width), nn.Dropout(0.0))

    def forward(
        self, x: torch.Tensor, context: torch.Tensor | None = None, mask: torch.Tensor | None = None, **_ignored: object
    ) -> torch.Tensor:
        context = x if context is None else context
        query, key, value = (split_heads(t, self.heads) for t in (self.to_q(x), self.to_k(context), self.to_v(context)))
        out = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.to_out(join_heads(out))


def split_heads(x: torch.Tensor, heads: int) -> torch.Tensor:
    """``[rows, tokens, width]`` → ``[rows, heads, tokens, width / heads]``."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def join_heads(x: torch.Tensor) -> torch.Tensor:
    """Undo `split_heads`."""
    return x.transpose(1, 2).flatten(2)


class BasicTransformerBlock(nn.Module):
    """Self-attention, attention to the text, feed-forward."""

    def __init__(self, width: int, context: int, heads: int) -> None:
        super().__init__()
        self.attn1 = CrossAttention(width, None, heads)
        self.ff = FeedForward(width)
        self.attn2 = CrossAttention(width, context, heads)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.norm3 = nn.LayerNorm(width)

    def forward(self, x: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        x = self.attn1(self.norm1(x), context=None, additional_tokens=None) + x
        x = self.attn2(self.norm2(x), context=context, additional_tokens=None) + x
        return self.ff(self.norm3(x)) + x


class SpatialTransformer(nn.Module):
    """Transformer blocks over the pixels of a feature map."""

    def __init__(self, width: int, heads: int, depth: int, context: int, linear: bool) -> None:
        super().__init__()
        self.linear = linear
        self.norm = nn.GroupNorm(32, width, eps=1e-6)
        self.proj_in = nn.Linear(width, width) if linear else nn.Conv2d(width, width, 1)
        self.transformer_blocks = nn.ModuleList(BasicTransformerBlock(width, context, heads) for _ in range(depth))
        self.proj_out = nn.Linear(width, width) if linear else nn.Conv2d(width, width, 1)

    def forward(self, x: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        height = x.shape[2]
        tokens = self._enter(self.norm(x))
        for block in self.transformer_blocks:
            tokens = block(tokens, context=context)
        return self._leave(tokens, height) + x

    def _enter(self, x: torch.Tensor) -> torch.Tensor:
        if self.linear:
            return self.proj_in(x.flatten(2).transpose(1, 2))
        return self.proj_in(x).flatten(2).transpose(1, 2)

    def _leave(self, tokens: torch.Tensor, height: int) -> torch.Tensor:
        if self.linear:
            return self.proj_out(tokens).transpose(1, 2).unflatten(2, (height, -1))
        return self.proj_out(tokens.transpose(1, 2).unflatten(2, (height, -1)))
