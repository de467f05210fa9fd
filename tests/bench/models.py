"""One set of random weights, in as many LDM and diffusers UNets as are wanted: they share the memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from diffusers.models.embeddings import get_timestep_embedding
from safetensors.torch import save_file

from lib_instantstyle.models.adapter import open_adapter
from lib_instantstyle.models.towers import BIGG_WIDTH
from lib_instantstyle.unet.rows import Row
from tests.support.architecture import fill_diffusers
from tests.tiny import adapters
from tests.tiny.tensors import random_tensors
from tests.tiny.unet import unet_shapes

if TYPE_CHECKING:
    from pathlib import Path

    from diffusers import UNet2DConditionModel
    from torch import nn

    from tests.support.architecture import Architecture

_NUMBERS = (1024.0, 1024.0, 0.0, 0.0, 1024.0, 1024.0)  # SDXL's size conditioning
_TEXT_TOKENS = 77


class Inputs(NamedTuple):
    """The arguments of one UNet call, for both kinds of UNet; the conditional rows come first."""

    latent: torch.Tensor  # [rows, 4, height, width]
    timesteps: torch.Tensor  # [rows]
    context: torch.Tensor  # [rows, 77, context]
    pooled: torch.Tensor  # [rows, pooled]
    numbers: torch.Tensor  # [rows, 6]
    vector: torch.Tensor  # [rows, vector], the pooled embedding and the numbers' sinusoids
    rows: tuple[Row, ...]


class Models:
    """Makes UNets of one set of weights, and an adapter file that fits.

    Args:
        architecture: Of the UNets.
        dtype: Of their weights.
        folder: Gets the adapter's file, in half precision as the published ones are.
        device: Where the UNets are.
    """

    def __init__(self, architecture: Architecture, dtype: torch.dtype, folder: Path, device: torch.device) -> None:
        self.architecture = architecture
        self.dtype = dtype
        self.device = device
        tensors = random_tensors(unet_shapes(architecture.config), seed=3, dtype=dtype)
        self._tensors = {key: tensor.to(device) for key, tensor in tensors.items()}
        self.adapter_tensors = random_tensors(adapters.linear_shapes(BIGG_WIDTH, architecture.config), seed=4)
        path = folder / "adapter.safetensors"
        save_file(self.adapter_tensors, str(path))
        self.adapter = open_adapter(path)

    def ldm(self) -> nn.Module:
        """Return the stand-in's UNet."""
        with torch.device("meta"):
            unet = self.architecture.ldm()
        unet.load_state_dict(self._tensors, assign=True)
        return unet.eval().requires_grad_(False)

    def diffusers(self, *, with_adapter: bool = False) -> UNet2DConditionModel:
        """Return diffusers' UNet, with its IP-Adapter loaded if wished."""
        with torch.device("meta"):
            unet = self.architecture.diffusers()
        fill_diffusers(unet, self._tensors)
        if with_adapter:
            unet._load_ip_adapter_weights([adapters.nest(self.adapter_tensors)])
        return unet.eval().requires_grad_(False)

    def inputs(self, pictures: int, size: int) -> Inputs:
        """Return random inputs for ``pictures`` pictures of ``size`` × ``size`` pixels, each with CFG's two rows."""
        rows = tuple(Row(conditional, picture) for conditional in (True, False) for picture in range(pictures))
        count, generator = len(rows), torch.Generator().manual_seed(5)

        def random(*shape: int) -> torch.Tensor:
            return torch.randn(count, *shape, generator=generator).to(self.device, self.dtype)

        pooled = random(self.architecture.pooled)
        numbers = torch.tensor(_NUMBERS, device=self.device).expand(count, -1)
        sinusoids = get_timestep_embedding(
            numbers.flatten(), self.architecture.number_width, flip_sin_to_cos=True, downscale_freq_shift=0
        )
        vector = torch.cat((pooled, sinusoids.reshape(count, -1).to(pooled.dtype)), dim=-1)
        latent, context = random(4, size // 8, size // 8), random(_TEXT_TOKENS, self.architecture.config.context)
        timesteps = torch.full((count,), 437.0, device=self.device)
        return Inputs(latent, timesteps, context, pooled, numbers, vector, rows)
