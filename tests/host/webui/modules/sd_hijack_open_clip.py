"""SDXL's second text tower, which also returns the pooled vector of the first chunk."""

import torch

from modules.sd_hijack_clip import TextConditionalModel


class FrozenOpenCLIPEmbedder2WithCustomWords(TextConditionalModel):
    return_pooled = True

    def __init__(self, wrapped: torch.nn.Module, hijack: object) -> None:
        super().__init__(wrapped, hijack)
        self.id_pad = 0

    def encode_with_transformers(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        states = self.wrapped.encode_with_transformer(tokens)
        return states[self.wrapped.layer], states["pooled"]
