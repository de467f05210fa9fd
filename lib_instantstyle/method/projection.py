"""From a CLIP embedding to image tokens: IP-Adapter's linear projection and its Resampler.

Both are functions of a dict of weights, in float32, as they run once per job. They use no `torch.nn` classes, which
the host patches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from lib_instantstyle.method.attention import image_attention, split_heads

if TYPE_CHECKING:
    from collections.abc import Mapping

    Weights = Mapping[str, torch.Tensor]

RESAMPLER_HEAD_SIZE = 64


def project_linear(embedding: torch.Tensor, weights: Weights) -> torch.Tensor:
    """Project a pooled embedding: ``LN(reshape(W e + b))`` (IP-Adapter, https://arxiv.org/abs/2308.06721, 3.2.1).

    Args:
        embedding: ``[rows, d]``; zeros give the unconditional tokens, ``LN(b)``.
        weights: ``proj.{weight,bias}`` and ``norm.{weight,bias}``.

    Returns:
        ``[rows, tokens, context]``, float32.
    """
    context = weights["norm.weight"].shape[0]
    tokens = _linear(embedding.float(), weights, "proj").view(embedding.shape[0], -1, context)
    return _layer_norm(tokens, weights, "norm")


def project_resampler(hidden: torch.Tensor, weights: Weights) -> torch.Tensor:
    """Resample patch features to a few tokens by cross-attention from learned queries (Plus adapters).

    Args:
        hidden: ``[rows, patches + 1, d]``, the encoder's penultimate hidden state, not normalised.
        weights: ``latents``, ``proj_in``, ``layers.N.{0,1}…``, ``proj_out``, ``norm_out``.

    Returns:
        ``[rows, tokens, context]``, float32.
    """
    features = _linear(hidden.float(), weights, "proj_in")
    latents = weights["latents"].float().expand(hidden.shape[0], -1, -1)
    for layer in range(len({key.split(".")[1] for key in weights if key.startswith("layers.")})):
        latents = latents + _perceiver_attention(features, latents, weights, f"layers.{layer}.0")
        latents = latents + _feed_forward(latents, weights, f"layers.{layer}.1")
    return _layer_norm(_linear(latents, weights, "proj_out"), weights, "norm_out")


def _perceiver_attention(features: torch.Tensor, latents: torch.Tensor, weights: Weights, name: str) -> torch.Tensor:
    features = _layer_norm(features, weights, f"{name}.norm1")
    latents = _layer_norm(latents, weights, f"{name}.norm2")
    query = _linear(latents, weights, f"{name}.to_q")
    context = torch.cat((features, latents), dim=1)  # the queries attend to themselves as well
    key, value = _linear(context, weights, f"{name}.to_kv").chunk(2, dim=-1)
    heads = query.shape[-1] // RESAMPLER_HEAD_SIZE
    attended = image_attention(query, split_heads(key, heads), split_heads(value, heads))
    return _linear(attended, weights, f"{name}.to_out")


def _feed_forward(latents: torch.Tensor, weights: Weights, name: str) -> torch.Tensor:
    hidden = _linear(_layer_norm(latents, weights, f"{name}.0"), weights, f"{name}.1")
    return _linear(F.gelu(hidden), weights, f"{name}.3")


def _linear(value: torch.Tensor, weights: Weights, name: str) -> torch.Tensor:
    bias = weights.get(f"{name}.bias")
    return F.linear(value, weights[f"{name}.weight"].float(), None if bias is None else bias.float())


def _layer_norm(value: torch.Tensor, weights: Weights, name: str) -> torch.Tensor:
    weight = weights[f"{name}.weight"].float()
    return F.layer_norm(value, weight.shape, weight, weights[f"{name}.bias"].float())
