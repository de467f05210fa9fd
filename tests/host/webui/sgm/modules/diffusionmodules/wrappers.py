"""From a conditioning dict to the UNet's arguments."""

import torch
from torch import nn


class OpenAIWrapper(nn.Module):
    conditioning_key = "crossattn"

    def __init__(self, diffusion_model: nn.Module) -> None:
        super().__init__()
        self.diffusion_model = diffusion_model

    def forward(self, x: torch.Tensor, t: torch.Tensor, c: dict[str, torch.Tensor]) -> torch.Tensor:
        dtype = self.diffusion_model.time_embed[0].weight.dtype
        vector = c.get("vector")
        return self.diffusion_model(
            x.to(dtype),
            timesteps=t.to(dtype),
            context=c["crossattn"].to(dtype),
            y=None if vector is None else vector.to(dtype),
        )
