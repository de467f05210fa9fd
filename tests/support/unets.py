"""A UNet reduced to its cross-attentions: SDXL's module names and order, any width and depth, no convolutions."""

import torch
from torch import nn

from lib_instantstyle.blocks import BLOCKS

CONTEXT = 32
WIDTHS = {"down_blocks.1": 16, "down_blocks.2": 32, "mid_block": 32, "up_blocks.0": 32, "up_blocks.1": 16}
DEPTHS = {"down_blocks.1": 1, "down_blocks.2": 2, "mid_block": 2, "up_blocks.0": 2, "up_blocks.1": 1}


class CrossAttention(nn.Module):
    """The host's cross-attention, called as its optimisers call it."""

    def __init__(self, width: int, context: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context, width, bias=False)
        self.to_v = nn.Linear(context, width, bias=False)
        self.to_out = nn.Sequential(nn.Linear(width, width), nn.Dropout(0.0))

    def forward(self, x, context):
        def split(value):
            return value.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        query, key, value = self.to_q(x), self.to_k(context), self.to_v(context)
        out = nn.functional.scaled_dot_product_attention(split(query), split(key), split(value))
        return self.to_out(out.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    def __init__(self, width: int, context: int, heads: int) -> None:
        super().__init__()
        self.norm2 = nn.LayerNorm(width)
        self.attn2 = CrossAttention(width, context, heads)


class SmallUNet(nn.Module):
    """Runs every block in forward order over ``[rows, positions, 16]``."""

    def __init__(self, context: int = CONTEXT, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.input_blocks = nn.ModuleList(nn.ModuleList([nn.Identity()]) for _ in range(9))
        self.middle_block = nn.ModuleList([nn.Identity()])  # registered before output_blocks, as the host does
        self.output_blocks = nn.ModuleList(nn.ModuleList([nn.Identity()]) for _ in range(9))
        for block in BLOCKS:
            stage = block.name.partition(".attentions")[0]
            width = WIDTHS[stage]
            parent = self.get_submodule(block.ldm_name.rpartition(".")[0])
            transformer = nn.Module()
            transformer.transformer_blocks = nn.ModuleList(Layer(width, context, 4) for _ in range(DEPTHS[stage]))
            parent.append(transformer)
        self.requires_grad_(False)

    def forward(self, x, timesteps=None, context=None, y=None):
        for block in BLOCKS:
            for layer in self.get_submodule(block.ldm_name).transformer_blocks:
                width = layer.norm2.normalized_shape[0]
                wide = x.repeat(1, 1, width // x.shape[-1])
                added = layer.attn2(layer.norm2(wide), context=context)
                x = x + added.unflatten(-1, (-1, x.shape[-1])).mean(-2)
        return x
