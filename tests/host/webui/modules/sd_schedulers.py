"""Noise schedules for the k-diffusion samplers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

_KARRAS_RHO = 7.0


@dataclass
class Scheduler:
    name: str
    label: str
    function: Callable[[int, float, float, Any], torch.Tensor] | None
    default_rho: float = -1
    need_inner_model: bool = False
    aliases: list[str] | None = None


def _uniform(n: int, _sigma_min: float, _sigma_max: float, inner_model: Any) -> torch.Tensor:
    return inner_model.get_sigmas(n)


def _karras(n: int, sigma_min: float, sigma_max: float, _inner_model: Any) -> torch.Tensor:
    ramp = torch.linspace(0, 1, n)
    low, high = sigma_min ** (1 / _KARRAS_RHO), sigma_max ** (1 / _KARRAS_RHO)
    return _with_zero((high + ramp * (low - high)) ** _KARRAS_RHO)


def _exponential(n: int, sigma_min: float, sigma_max: float, _inner_model: Any) -> torch.Tensor:
    return _with_zero(torch.linspace(math.log(sigma_max), math.log(sigma_min), n).exp())


def _sgm_uniform(n: int, sigma_min: float, sigma_max: float, inner_model: Any) -> torch.Tensor:
    start, end = (inner_model.sigma_to_t(torch.tensor(sigma)) for sigma in (sigma_max, sigma_min))
    return _with_zero(torch.stack([inner_model.t_to_sigma(t) for t in torch.linspace(start, end, n + 1)[:-1]]))


def _with_zero(sigmas: torch.Tensor) -> torch.Tensor:
    return torch.cat([sigmas, sigmas.new_zeros(1)])


schedulers = [
    Scheduler("automatic", "Automatic", None),
    Scheduler("uniform", "Uniform", _uniform, need_inner_model=True),
    Scheduler("karras", "Karras", _karras, default_rho=_KARRAS_RHO),
    Scheduler("exponential", "Exponential", _exponential),
    Scheduler("sgm_uniform", "SGM Uniform", _sgm_uniform, need_inner_model=True, aliases=["SGMUniform"]),
]
schedulers_map = {key: s for s in schedulers for key in (s.name, s.label)}
