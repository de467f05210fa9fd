"""The one formula of IP-Adapter's decoupled cross-attention (arXiv 2308.06721, equation 5). Knows torch only."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def image_attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Attend from the UNet's query to the image tokens: ``softmax(q Kᵀ / √d) V``.

    Args:
        query: ``[rows, positions, heads · d]``, as it leaves the site's own ``to_q``.
        key: ``[rows, heads, tokens, d]``.
        value: ``[rows, heads, tokens, d]``.

    Returns:
        ``[rows, positions, heads · d]``, in the layout that enters ``to_out``.
    """
    rows, positions, width = query.shape
    heads = key.shape[1]
    split = query.view(rows, positions, heads, width // heads).transpose(1, 2)  # (rows, heads, positions, d)
    attended = F.scaled_dot_product_attention(split, key, value)
    return attended.transpose(1, 2).reshape(rows, positions, width)


def split_heads(projected: torch.Tensor, heads: int) -> torch.Tensor:
    """Reshape ``[rows, tokens, heads · d]`` to ``[rows, heads, tokens, d]``."""
    rows, tokens, width = projected.shape
    return projected.view(rows, tokens, heads, width // heads).transpose(1, 2)
