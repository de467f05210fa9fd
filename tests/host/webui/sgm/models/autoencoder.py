"""The autoencoder between pixels and latents, with the parameter names of LDM checkpoints."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F


def _norm(width: int) -> nn.GroupNorm:
    return nn.GroupNorm(32, width, eps=1e-6)


def _conv(width: int, out: int) -> nn.Conv2d:
    return nn.Conv2d(width, out, 3, padding=1)


class ResnetBlock(nn.Module):
    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = _norm(width), _conv(width, out)
        self.norm2, self.conv2 = _norm(out), _conv(out, out)
        self.nin_shortcut = nn.Identity() if out == width else nn.Conv2d(width, out, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.conv1(F.silu(self.norm1(x)))
        return self.nin_shortcut(x) + self.conv2(F.silu(self.norm2(hidden)))


class AttnBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = _norm(width)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(width, width, 1) for _ in range(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        normed = self.norm(x)
        query, key, value = (layer(normed).flatten(2).transpose(1, 2) for layer in (self.q, self.k, self.v))
        out = F.scaled_dot_product_attention(query, key, value)
        return x + self.proj_out(out.transpose(1, 2).unflatten(2, x.shape[2:]))


class Downsample(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = _conv(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))


def _middle(width: int) -> nn.Module:
    middle = nn.Module()
    middle.block_1, middle.attn_1, middle.block_2 = (
        ResnetBlock(width, width),
        AttnBlock(width),
        ResnetBlock(width, width),
    )
    return middle


def _run_middle(middle: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return middle.block_2(middle.attn_1(middle.block_1(x)))


def _stage(width: int, out: int, blocks: int) -> nn.Module:
    stage = nn.Module()
    stage.block = nn.ModuleList(ResnetBlock(out if i else width, out) for i in range(blocks))
    return stage


class Encoder(nn.Module):
    def __init__(self, widths: Sequence[int], blocks: int, in_channels: int, z_channels: int) -> None:
        super().__init__()
        self.conv_in = _conv(in_channels, widths[0])
        self.down = nn.ModuleList(_stage(widths[max(i - 1, 0)], width, blocks) for i, width in enumerate(widths))
        for stage, width in zip(list(self.down)[:-1], widths, strict=False):
            stage.downsample = Downsample(width)
        self.mid = _middle(widths[-1])
        self.norm_out, self.conv_out = _norm(widths[-1]), _conv(widths[-1], 2 * z_channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv_in(x)
        for stage in self.down:
            for block in stage.block:
                x = block(x)
            if hasattr(stage, "downsample"):
                x = stage.downsample(x)
        return self.conv_out(F.silu(self.norm_out(_run_middle(self.mid, x))))


class Decoder(nn.Module):
    def __init__(self, widths: Sequence[int], blocks: int, out_ch: int, z_channels: int) -> None:
        super().__init__()
        top = len(widths) - 1
        self.conv_in = _conv(z_channels, widths[-1])
        self.mid = _middle(widths[-1])
        self.up = nn.ModuleList(_stage(widths[min(i + 1, top)], width, blocks + 1) for i, width in enumerate(widths))
        for stage, width in zip(list(self.up)[1:], widths[1:], strict=True):
            stage.upsample = Upsample(width)
        self.norm_out, self.conv_out = _norm(widths[0]), _conv(widths[0], out_ch)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        x = _run_middle(self.mid, self.conv_in(z))
        for stage in reversed(self.up):
            for block in stage.block:
                x = block(x)
            if hasattr(stage, "upsample"):
                x = stage.upsample(x)
        return self.conv_out(F.silu(self.norm_out(x)))


class AutoencoderKL(nn.Module):
    """Encodes to the mean and log-variance of a latent; the mean is used, so that results repeat."""

    def __init__(self, ddconfig: dict, embed_dim: int = 4, **_training_only: object) -> None:
        super().__init__()
        widths = [ddconfig["ch"] * mult for mult in ddconfig["ch_mult"]]
        blocks, z_channels = ddconfig["num_res_blocks"], ddconfig["z_channels"]
        self.encoder = Encoder(widths, blocks, ddconfig["in_channels"], z_channels)
        self.decoder = Decoder(widths, blocks, ddconfig["out_ch"], z_channels)
        self.quant_conv = nn.Conv2d(2 * z_channels, 2 * embed_dim, 1)
        self.post_quant_conv = nn.Conv2d(embed_dim, z_channels, 1)

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return self.quant_conv(self.encoder(x)).chunk(2, dim=1)[0]

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.post_quant_conv(z))
