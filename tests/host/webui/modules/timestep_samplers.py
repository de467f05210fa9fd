"""Samplers in timestep space. ``model(x, t, **extra)`` returns the predicted noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class _Walk:
    """The timesteps from noisy to clean, their ᾱ, and the model."""

    def __init__(self, model: Any, timesteps: torch.Tensor, extra_args: dict, callback: Callable[[dict], None]) -> None:
        self.model, self.timesteps, self.extra_args, self.callback = model, timesteps, extra_args, callback
        alphas = model.inner_model.inner_model.alphas_cumprod
        self.alphas = alphas[timesteps].double()
        self.alpha_before_first = alphas[0].double()

    def predict(self, x: torch.Tensor, index: int) -> torch.Tensor:
        return self.model(x, self.timesteps[index] * x.new_ones(x.shape[0]), **self.extra_args)

    def previous_alpha(self, index: int) -> torch.Tensor:
        return self.alphas[index - 1] if index else self.alpha_before_first

    def clean(self, x: torch.Tensor, eps: torch.Tensor, index: int) -> torch.Tensor:
        alpha = self.alphas[index]
        return (x - (1 - alpha).sqrt().float() * eps) / alpha.sqrt().float()

    def move(self, x: torch.Tensor, eps: torch.Tensor, index: int) -> torch.Tensor:
        """One DDIM step to the previous timestep."""
        before = self.previous_alpha(index)
        return before.sqrt().float() * self.clean(x, eps, index) + (1 - before).sqrt().float() * eps

    def report(self, i: int, x: torch.Tensor) -> None:
        self.callback({"x": x, "i": i, "sigma": 0, "sigma_hat": 0, "denoised": x})


def sample_ddim(walk: _Walk, x: torch.Tensor) -> torch.Tensor:
    for i, index in enumerate(range(len(walk.timesteps) - 1, 0, -1)):
        x = walk.move(x, walk.predict(x, index), index)
        walk.report(i, x)
    return x


def sample_plms(walk: _Walk, x: torch.Tensor) -> torch.Tensor:
    """Adams-Bashforth on the predicted noise; the first step is a Heun step."""
    history: list[torch.Tensor] = []
    for i, index in enumerate(range(len(walk.timesteps) - 1, 0, -1)):
        eps = walk.predict(x, index)
        if not history:
            guided = (eps + walk.predict(walk.move(x, eps, index), index - 1)) / 2
        elif len(history) == 1:
            guided = (3 * eps - history[-1]) / 2
        else:
            guided = (23 * eps - 16 * history[-1] + 5 * history[-2]) / 12
        history.append(eps)
        x = walk.move(x, guided, index)
        walk.report(i, x)
    return x


def sample_unipc(walk: _Walk, x: torch.Tensor) -> torch.Tensor:
    """A second-order multistep on the clean latent: what UniPC does without its corrector."""
    previous, last_step = None, None
    for i, index in enumerate(range(len(walk.timesteps) - 1, -1, -1)):
        clean = walk.clean(x, walk.predict(x, index), index)
        alpha, before = walk.alphas[index], walk.previous_alpha(index)
        step = ((before / (1 - before)).log() - (alpha / (1 - alpha)).log()) / 2
        guided = clean if previous is None else clean + (clean - previous) * (step / last_step / 2).float()
        ratio = ((1 - before) / (1 - alpha)).sqrt().float()
        x = ratio * x - before.sqrt().float() * torch.expm1(-step).float() * guided
        previous, last_step = clean, step
        walk.report(i, x)
    return x


def sample(name: str, model: Any, x: Any, timesteps: Any, extra_args: dict, callback: Any) -> torch.Tensor:
    """Run the sampler called ``name``."""
    return globals()[name](_Walk(model, timesteps, extra_args, callback), x)
