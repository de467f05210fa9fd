"""The formulas inside a cross-attention."""

from __future__ import annotations

import torch
import torch.nn.functional as F

_EPSILON = 1e-6  # keeps the ratio of variances finite


def image_attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Attend from the UNet's query to the image tokens: ``softmax(q Kᵀ / √d) V``.

    IP-Adapter (https://arxiv.org/abs/2308.06721), equation 5.

    Args:
        query: ``[rows, positions, heads · d]``, as it leaves the site's own ``to_q``.
        key, value: ``[rows, heads, tokens, d]``.

    Returns:
        ``[rows, positions, heads · d]``, in the layout that enters ``to_out``.
    """
    attended = F.scaled_dot_product_attention(split_heads(query, key.shape[1]), key, value)
    return attended.transpose(1, 2).flatten(2)  # (rows, heads, positions, d) to (rows, positions, heads · d)


def keep_text_colours(text_term: torch.Tensor, image_term: torch.Tensor, amount: float) -> torch.Tensor:
    """Interpolate between the image term and cross-modal AdaIN (StyleStudio, https://arxiv.org/abs/2412.08503).

    AdaIN gives the text term the image term's statistics over the positions, channel by channel:
    ``A = σ(I)·(T − μ(T))/σ(T) + μ(I)``. With the amount ``a`` the result is ``R = (1 − a)·I + a·(A − T)``: added to
    the text term with the weight ``w``, ``T + w·R`` is ``T + w·I`` for ``a = 0``, and ``A`` for ``a = w = 1``. A
    channel whose ``T`` does not vary, such as any at a single position (σ = 0), becomes the image term's mean.

    Args:
        text_term: ``T``, ``[rows, positions, channels]``.
        image_term: ``I``, the same shape, without its weight.
        amount: 0 to 1.
    """
    text, image = text_term.float(), image_term.float()
    text_variance, text_mean = torch.var_mean(text, dim=1, correction=0, keepdim=True)
    image_variance, image_mean = torch.var_mean(image, dim=1, correction=0, keepdim=True)
    scale = ((image_variance + _EPSILON) / (text_variance + _EPSILON)).sqrt()
    aligned = scale * (text - text_mean) + image_mean
    return torch.lerp(image, aligned - text, amount).to(text_term.dtype)


def split_heads(projected: torch.Tensor, heads: int) -> torch.Tensor:
    """Reshape ``[rows, tokens, heads · d]`` to ``[rows, heads, tokens, d]``."""
    rows, tokens, width = projected.shape
    return projected.view(rows, tokens, heads, width // heads).transpose(1, 2)
