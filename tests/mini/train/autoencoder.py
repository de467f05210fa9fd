"""Pictures to latents and back: first against pictures of half the size, then with the last level on top."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from tests.mini.architecture import AUTOENCODER, AutoencoderKL, autoencoder
from tests.mini.drawing import render
from tests.mini.train.device import CPU, on_device
from tests.mini.train.loop import Plan, fit
from tests.mini.world import SIZE, random_scenes

if TYPE_CHECKING:
    from pathlib import Path

_HALF = Plan("autoencoder-half", steps=1200, rate=1.5e-3)
_WHOLE = Plan("autoencoder", steps=260, rate=6e-4, average=0.97)
_BATCH = 16
_NOISE = 0.1  # of a latent's deviation; what a decoder forgives, a denoiser need not hit
_CERTAIN = -20.0  # log-variance of a latent that is not sampled
_STATISTICS = 512  # pictures


def train_encoder(folder: Path, device: torch.device = CPU) -> AutoencoderKL:
    """Train an autoencoder that reads whole pictures and draws them half as large: a third of the work.

    Its encoder is final.
    """
    model = _on_device(_half(), device)
    fit(_HALF, model, lambda generator: _loss(model, generator, SIZE // 2), folder)
    return model.requires_grad_(False)


def train_decoder(folder: Path, half: AutoencoderKL, device: torch.device = CPU) -> AutoencoderKL:
    """Grow the last level on the decoder of ``half`` and train the decoder on."""
    model = autoencoder().to(memory_format=torch.channels_last)
    _grow(half, model)
    model.encoder.requires_grad_(False)
    model.quant_conv.requires_grad_(False)
    _on_device(model, device)
    fit(_WHOLE, model, lambda generator: _loss(model, generator, SIZE), folder, seed=1)
    return model.requires_grad_(False)


def _on_device(model: AutoencoderKL, device: torch.device) -> AutoencoderKL:
    for part in model.children():  # which are called, as the whole is not
        on_device(part, device)
    return model


def _half() -> AutoencoderKL:
    model = autoencoder()
    model.decoder = AutoencoderKL({**AUTOENCODER, "ch_mult": [1, 1, 1]}).decoder
    return model.to(memory_format=torch.channels_last)


def _loss(model: AutoencoderKL, generator: torch.Generator, size: int) -> torch.Tensor:
    pictures = render(random_scenes(_BATCH, generator)) * 2 - 1
    with torch.autocast("cpu", torch.bfloat16):
        latents = model.encode(pictures.contiguous(memory_format=torch.channels_last))
        noisy = latents + _NOISE * torch.randn(latents.shape, generator=generator)
        drawn = model.decode(noisy).float()
    wanted = F.interpolate(pictures, (size, size), mode="area")
    return F.l1_loss(drawn, wanted) + 1e-2 * (latents.float().square().mean() - 1).square()


@torch.no_grad()
def _grow(half: AutoencoderKL, whole: AutoencoderKL) -> None:
    """Copy ``half`` into ``whole``, whose new last level passes on what it is given, smoothed."""
    state = {key: value for key, value in half.state_dict().items() if not key.startswith("decoder.up.")}
    for key, value in half.decoder.up.state_dict().items():
        level, _, rest = key.partition(".")
        state[f"decoder.up.{int(level) + 1}.{rest}"] = value
    whole.load_state_dict(state, strict=False)
    first = whole.decoder.up[0].block[0].conv2
    first.weight.zero_()
    first.bias.zero_()
    smooth = torch.tensor([0.25, 0.5, 0.25])
    growth = whole.decoder.up[1].upsample.conv
    growth.weight.copy_(torch.eye(64)[:, :, None, None] * smooth[:, None] * smooth)
    growth.bias.zero_()
    whole.quant_conv.weight[4:].zero_()
    whole.quant_conv.bias[4:].fill_(_CERTAIN)


@torch.no_grad()
def latent_scale(model: AutoencoderKL) -> float:
    """Return the factor that gives latents a deviation of one: ``scale_factor`` of the checkpoint."""
    generator = torch.Generator().manual_seed(7)
    return float(1 / model.encode(render(random_scenes(_STATISTICS, generator)) * 2 - 1).std())
