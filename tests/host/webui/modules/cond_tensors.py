"""Stacked conditionings: plain tensors for Stable Diffusion 1.5, dicts of tensors for SDXL."""

from __future__ import annotations

from typing import Any

import torch

from modules.prompt_parser import DictWithShape


def pad_cond(tensor: Any, repeats: int, empty: torch.Tensor) -> Any:
    """Lengthen the context by ``repeats`` empty prompts."""
    if isinstance(tensor, dict):
        tensor["crossattn"] = pad_cond(tensor["crossattn"], repeats, empty)
        return tensor
    return torch.cat([tensor, empty.repeat((tensor.shape[0], repeats, 1)).to(tensor)], dim=1)


def fit_cond(tensor: Any, length: int) -> Any:
    """Bring the context to ``length`` the older way: repeat the last vector, or cut."""
    if isinstance(tensor, dict):
        tensor["crossattn"] = fit_cond(tensor["crossattn"], length)
        return tensor
    return torch.cat([tensor, tensor[:, -1:].repeat(1, max(length - tensor.shape[1], 0), 1)], dim=1)[:, :length]


def slice_cond(cond: Any, item: slice) -> Any:
    return cond.advanced_indexing(item) if isinstance(cond, dict) else cond[item]


def concatenate_conds(cond: Any, uncond: Any) -> Any:
    if isinstance(cond, dict):
        return DictWithShape({key: torch.cat([cond[key], uncond[key]]) for key in cond})
    return torch.cat([cond, uncond])
