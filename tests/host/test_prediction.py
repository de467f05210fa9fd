"""Models that predict v are denoised as those that predict noise: told the same of the same latent."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch

from tests.host.launcher import HOST_ROOT

if str(HOST_ROOT) not in sys.path:
    sys.path.insert(0, str(HOST_ROOT))

from sgm.models.diffusion import signal_shares

STEP = 500


class KnowsTheNoise:
    """Answers in its own terms, eps or v."""

    alphas_cumprod = signal_shares()

    def __init__(self, parameterization: str, noise: torch.Tensor) -> None:
        self.parameterization, self.noise = parameterization, noise

    def apply_model(self, x: torch.Tensor, t: torch.Tensor, _cond: Any) -> torch.Tensor:
        alpha = self.alphas_cumprod[t.round().long()][:, None, None, None]
        picture = (x - (1 - alpha).sqrt() * self.noise) / alpha.sqrt()
        v = alpha.sqrt() * self.noise - (1 - alpha).sqrt() * picture
        return v if self.parameterization == "v" else self.noise


@pytest.fixture
def latents() -> tuple[torch.Tensor, torch.Tensor]:
    x, noise = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    return x, noise


@pytest.mark.usefixtures("host")
def test_both_predictions_denoise_alike(latents: tuple[torch.Tensor, torch.Tensor]) -> None:
    from modules.sd_samplers_kdiffusion import CompVisDenoiser
    from modules.sd_samplers_timesteps import CompVisTimestepsDenoiser

    x, noise = latents
    models = [KnowsTheNoise(kind, noise) for kind in ("eps", "v")]
    sigma = CompVisDenoiser(models[0]).sigmas[STEP : STEP + 1]
    by_noise, by_v = (CompVisDenoiser(model)(x, sigma, None) for model in models)
    assert torch.allclose(by_noise, by_v, atol=1e-4)
    by_noise, by_v = (CompVisTimestepsDenoiser(model)(x, torch.tensor([STEP]), None) for model in models)
    assert torch.allclose(by_noise, by_v, atol=1e-4)
