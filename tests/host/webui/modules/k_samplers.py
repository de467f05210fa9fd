"""Samplers in sigma space. ``model(x, sigma, **extra)`` returns the denoised latent, ``noise()`` fresh noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

Model = Callable[..., torch.Tensor]
Noise = Callable[[], torch.Tensor]
Callback = Callable[[dict[str, Any]], None]


class _Loop:
    """The model with its arguments, and the steps of one sampling."""

    def __init__(self, model: Model, sigmas: torch.Tensor, extra_args: dict[str, Any], callback: Callback) -> None:
        self.model, self.sigmas, self.extra_args, self.callback = model, sigmas, extra_args, callback

    def denoise(self, x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        return self.model(x, sigma * x.new_ones(x.shape[0]), **self.extra_args)

    def steps(self) -> Any:
        return enumerate(zip(self.sigmas[:-1], self.sigmas[1:], strict=True))

    def first(self, x: torch.Tensor, i: int, sigma: torch.Tensor) -> torch.Tensor:
        denoised = self.denoise(x, sigma)
        self.callback({"x": x, "i": i, "sigma": sigma, "sigma_hat": sigma, "denoised": denoised})
        return denoised


def ancestral_step(sigma: torch.Tensor, following: torch.Tensor, eta: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Split a step into one down and the noise that leads back up."""
    up = min(following, eta * (following**2 * (sigma**2 - following**2) / sigma**2) ** 0.5)
    return (following**2 - up**2) ** 0.5, up


def _slope(x: torch.Tensor, sigma: torch.Tensor, denoised: torch.Tensor) -> torch.Tensor:
    return (x - denoised) / sigma


def sample_euler(loop: _Loop, x: torch.Tensor, _noise: Noise) -> torch.Tensor:
    for i, (sigma, following) in loop.steps():
        x = x + _slope(x, sigma, loop.first(x, i, sigma)) * (following - sigma)
    return x


def sample_euler_ancestral(loop: _Loop, x: torch.Tensor, noise: Noise) -> torch.Tensor:
    for i, (sigma, following) in loop.steps():
        down, up = ancestral_step(sigma, following)
        x = x + _slope(x, sigma, loop.first(x, i, sigma)) * (down - sigma)
        if following > 0:
            x = x + noise() * up
    return x


def sample_heun(loop: _Loop, x: torch.Tensor, _noise: Noise) -> torch.Tensor:
    for i, (sigma, following) in loop.steps():
        slope = _slope(x, sigma, loop.first(x, i, sigma))
        ahead = x + slope * (following - sigma)
        if following > 0:
            slope = (slope + _slope(ahead, following, loop.denoise(ahead, following))) / 2
        x = x + slope * (following - sigma)
    return x


def _dpm_2(loop: _Loop, x: torch.Tensor, noise: Noise, eta: float) -> torch.Tensor:
    for i, (sigma, following) in loop.steps():
        down, up = ancestral_step(sigma, following, eta)
        slope = _slope(x, sigma, loop.first(x, i, sigma))
        if down > 0:
            middle = (sigma.log() + down.log()).div(2).exp()
            between = x + slope * (middle - sigma)
            slope = _slope(between, middle, loop.denoise(between, middle))
        x = x + slope * (down - sigma)
        if up > 0:
            x = x + noise() * up
    return x


def sample_dpm_2(loop: _Loop, x: torch.Tensor, noise: Noise) -> torch.Tensor:
    return _dpm_2(loop, x, noise, eta=0.0)


def sample_dpm_2_ancestral(loop: _Loop, x: torch.Tensor, noise: Noise) -> torch.Tensor:
    return _dpm_2(loop, x, noise, eta=1.0)


def sample_dpmpp_2m(loop: _Loop, x: torch.Tensor, _noise: Noise) -> torch.Tensor:
    previous, last_step = None, None
    for i, (sigma, following) in loop.steps():
        denoised = loop.first(x, i, sigma)
        if following == 0:
            return denoised
        step = (sigma / following).log()
        guided = denoised
        if previous is not None:
            ratio = last_step / step
            guided = (1 + 1 / (2 * ratio)) * denoised - 1 / (2 * ratio) * previous
        x = following / sigma * x - (-step).expm1() * guided
        previous, last_step = denoised, step
    return x


def sample_dpmpp_2m_sde(loop: _Loop, x: torch.Tensor, noise: Noise) -> torch.Tensor:
    previous, last_step = None, None
    for i, (sigma, following) in loop.steps():
        denoised = loop.first(x, i, sigma)
        if following == 0:
            return denoised
        step = (sigma / following).log()
        x = following / sigma * (-step).exp() * x + (-2 * step).expm1().neg() * denoised
        if previous is not None:
            x = x + 0.5 * (-2 * step).expm1().neg() * (step / last_step) * (denoised - previous)
        x = x + noise() * following * (-2 * step).expm1().neg().sqrt()
        previous, last_step = denoised, step
    return x


def _dpmpp_single_step(loop: _Loop, x: torch.Tensor, noise: Noise, at_middle: bool) -> torch.Tensor:
    """DPM-Solver++ with a midpoint; ``at_middle`` adds noise there too (the SDE variant)."""
    for i, (sigma, following) in loop.steps():
        denoised = loop.first(x, i, sigma)
        down, up = ancestral_step(sigma, following)
        if down == 0:
            x = denoised + noise() * up if up > 0 else denoised
            continue
        target = (sigma * following).sqrt() if at_middle else (sigma * down).sqrt()
        middle, middle_up = ancestral_step(sigma, target) if at_middle else (target, torch.zeros_like(target))
        between = middle / sigma * x + (1 - middle / sigma) * denoised
        between = between + noise() * middle_up if at_middle else between
        guided = loop.denoise(between, target)
        x = down / sigma * x + (1 - down / sigma) * guided + noise() * up
    return x


def sample_dpmpp_2s_ancestral(loop: _Loop, x: torch.Tensor, noise: Noise) -> torch.Tensor:
    return _dpmpp_single_step(loop, x, noise, at_middle=False)


def sample_dpmpp_sde(loop: _Loop, x: torch.Tensor, noise: Noise) -> torch.Tensor:
    return _dpmpp_single_step(loop, x, noise, at_middle=True)


def sample_lms(loop: _Loop, x: torch.Tensor, _noise: Noise) -> torch.Tensor:
    """Adams-Bashforth of second order."""
    previous = None
    for i, (sigma, following) in loop.steps():
        slope = _slope(x, sigma, loop.first(x, i, sigma))
        guided = slope if previous is None else 1.5 * slope - 0.5 * previous
        x = x + guided * (following - sigma)
        previous = slope
    return x


def sample_lcm(loop: _Loop, x: torch.Tensor, noise: Noise) -> torch.Tensor:
    for i, (sigma, following) in loop.steps():
        x = loop.first(x, i, sigma)
        if following > 0:
            x = x + following * noise()
    return x


def sample(
    name: str, model: Model, x: torch.Tensor, sigmas: torch.Tensor, extra_args: dict, callback: Callback, noise: Noise
) -> torch.Tensor:
    """Run the sampler called ``name``."""
    return globals()[name](_Loop(model, sigmas, extra_args, callback), x, noise)
