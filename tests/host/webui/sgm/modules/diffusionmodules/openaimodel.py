"""The UNet of SDXL, its refiner and Stable Diffusion 1.5, with the parameter names of their checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from sgm.modules.attention import SpatialTransformer
from sgm.modules.diffusionmodules.util import timestep_embedding


class TimestepEmbedSequential(nn.Sequential):
    """Hands the time embedding and the text to the layers that take them."""

    def forward(self, x: torch.Tensor, emb: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        for layer in self:
            if isinstance(layer, ResBlock):
                x = layer(x, emb)
            elif isinstance(layer, SpatialTransformer):
                x = layer(x, context)
            else:
                x = layer(x)
        return x


class ResBlock(nn.Module):
    def __init__(self, width: int, emb_width: int, out: int) -> None:
        super().__init__()
        self.in_layers = nn.Sequential(nn.GroupNorm(32, width), nn.SiLU(), nn.Conv2d(width, out, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(emb_width, out))
        self.out_layers = nn.Sequential(
            nn.GroupNorm(32, out), nn.SiLU(), nn.Dropout(0.0), nn.Conv2d(out, out, 3, padding=1)
        )
        self.skip_connection = nn.Identity() if out == width else nn.Conv2d(width, out, 1)

    def forward(self, x: torch.Tensor, emb: torch.Tensor) -> torch.Tensor:
        hidden = self.in_layers(x)
        hidden = hidden + self.emb_layers(emb)[:, :, None, None].to(hidden.dtype)
        return self.skip_connection(x) + self.out_layers(hidden)


class Downsample(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.op = nn.Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.op(x)


class Upsample(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))


class _Level(NamedTuple):
    width: int
    depth: int  # transformer blocks; 0 where the level has no attention


def _join(x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
    """Concatenate; where halving an odd size lost a row or column, stretch ``x``, as the host does."""
    if x.shape[2:] != skip.shape[2:]:
        x = F.interpolate(x, skip.shape[2:], mode="nearest")
    return torch.cat([x, skip], dim=1)


class UNetModel(nn.Module):
    """An LDM UNet, configured as in the ``.yaml`` files of the original repositories."""

    def __init__(
        self,
        *,
        in_channels: int,
        model_channels: int,
        out_channels: int,
        num_res_blocks: int,
        attention_resolutions: Sequence[int],
        channel_mult: Sequence[int],
        context_dim: int,
        transformer_depth: int | Sequence[int] = 1,
        transformer_depth_middle: int | None = None,
        num_heads: int | None = None,
        num_head_channels: int | None = None,
        adm_in_channels: int | None = None,
        use_linear_in_transformer: bool = False,
        **_training_only: object,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.model_channels, self.context_dim = model_channels, context_dim
        self.num_res_blocks = num_res_blocks
        self._heads = (num_heads, num_head_channels)
        self._linear = use_linear_in_transformer
        self._emb_width = 4 * model_channels
        depths = [transformer_depth] * len(channel_mult) if isinstance(transformer_depth, int) else transformer_depth
        levels = [
            _Level(model_channels * mult, depths[i] if 2**i in attention_resolutions else 0)
            for i, mult in enumerate(channel_mult)
        ]
        self.time_embed = self._mlp(model_channels)
        if adm_in_channels is not None:
            self.label_emb = nn.Sequential(self._mlp(adm_in_channels))
        skips = self._build_down(levels)
        middle_depth = depths[-1] if transformer_depth_middle is None else transformer_depth_middle
        self.middle_block = TimestepEmbedSequential(
            self._residual(skips[-1], skips[-1]),
            self._transformer(skips[-1], middle_depth),
            self._residual(skips[-1], skips[-1]),
        )
        self._build_up(levels, skips)
        self.out = nn.Sequential(
            nn.GroupNorm(32, model_channels), nn.SiLU(), nn.Conv2d(model_channels, out_channels, 3, padding=1)
        )

    def _build_down(self, levels: list[_Level]) -> list[int]:
        first = nn.Conv2d(self.in_channels, self.model_channels, 3, padding=1)
        self.input_blocks = nn.ModuleList([TimestepEmbedSequential(first)])
        skips = [self.model_channels]
        for index, level in enumerate(levels):
            for _ in range(self.num_res_blocks):
                self.input_blocks.append(TimestepEmbedSequential(*self._stage(skips[-1], level)))
                skips.append(level.width)
            if index < len(levels) - 1:
                self.input_blocks.append(TimestepEmbedSequential(Downsample(level.width)))
                skips.append(level.width)
        return skips

    def _build_up(self, levels: list[_Level], skips: list[int]) -> None:
        self.output_blocks = nn.ModuleList()
        remaining, width = list(skips), skips[-1]
        for index, level in reversed(list(enumerate(levels))):
            for position in range(self.num_res_blocks + 1):
                layers = self._stage(width + remaining.pop(), level)
                if index and position == self.num_res_blocks:
                    layers.append(Upsample(level.width))
                self.output_blocks.append(TimestepEmbedSequential(*layers))
                width = level.width

    def _stage(self, width: int, level: _Level) -> list[nn.Module]:
        layers: list[nn.Module] = [self._residual(width, level.width)]
        if level.depth:
            layers.append(self._transformer(level.width, level.depth))
        return layers

    def _residual(self, width: int, out: int) -> ResBlock:
        return ResBlock(width, self._emb_width, out)

    def _transformer(self, width: int, depth: int) -> SpatialTransformer:
        heads, head_width = self._heads
        return SpatialTransformer(width, heads or width // head_width, depth, self.context_dim, self._linear)

    def _mlp(self, width: int) -> nn.Sequential:
        return nn.Sequential(nn.Linear(width, self._emb_width), nn.SiLU(), nn.Linear(self._emb_width, self._emb_width))

    def forward(
        self,
        x: torch.Tensor,
        timesteps: torch.Tensor | None = None,
        context: torch.Tensor | None = None,
        y: torch.Tensor | None = None,
        **_ignored: object,
    ) -> torch.Tensor:
        emb = self.time_embed(timestep_embedding(timesteps, self.model_channels).to(x.dtype))
        if y is not None:
            emb = emb + self.label_emb(y.to(x.dtype))
        skips = []
        for block in self.input_blocks:
            x = block(x, emb, context)
            skips.append(x)
        x = self.middle_block(x, emb, context)
        for block in self.output_blocks:
            x = block(_join(x, skips.pop()), emb, context)
        return self.out(x)
