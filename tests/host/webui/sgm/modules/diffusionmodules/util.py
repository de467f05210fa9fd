"""Sinusoidal embeddings."""

import math

import torch


def timestep_embedding(timesteps: torch.Tensor, dim: int, max_period: int = 10000) -> torch.Tensor:
    """``[n]`` → ``[n, dim]``: cosines, then sines."""
    half = dim // 2
    frequencies = torch.exp(-math.log(max_period) * torch.arange(half, dtype=torch.float32) / half)
    angles = timesteps[:, None].float() * frequencies.to(timesteps.device)[None]
    return torch.cat([angles.cos(), angles.sin()], dim=-1)
