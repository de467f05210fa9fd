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
        y, context = None if vector is None else vector.to(dtype), c["crossattn"].to(dtype)
        if "transformer_options" not in c:
            return self.diffusion_model(x.to(dtype), timesteps=t.to(dtype), context=context, y=y)
        options = {"control": None, "transformer_options": c["transformer_options"]}  # the Forge family's way
        return self.diffusion_model(
            x.to(dtype), t.float(), context=context, **options, **({} if y is None else {"y": y})
        )
