"""A UNet reduced to its cross-attentions: SDXL's module names and order, any width and depth, no convolutions."""

import torch
from torch import nn

from lib_instantstyle.params.blocks import BLOCKS

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


class GridTransformer(nn.Module):
    """A block's transformer as the host calls it: with ``[rows, channels, height, width]``, and the context."""

    def __init__(self, layers: nn.ModuleList) -> None:
        super().__init__()
        self.transformer_blocks = layers

    def forward(self, x, context):
        height, width = x.shape[-2:]
        x = x.flatten(2).transpose(1, 2)
        for layer in self.transformer_blocks:
            x = x + layer.attn2(layer.norm2(x), context=context)
        return x.transpose(1, 2).unflatten(-1, (height, width))


class GridUNet(SmallUNet):
    """Runs every block over ``[rows, 4, height, width]`` on the grid of its level, as SDXL does.

    The first and the last blocks work at half the height and width, those between at a quarter. Each stride-2
    convolution with padding 1 rounds up; the way back takes the nearest.
    """

    def __init__(self, context: int = CONTEXT, seed: int = 0) -> None:
        super().__init__(context, seed)
        for block in BLOCKS:
            parent = self.get_submodule(block.ldm_name.rpartition(".")[0])
            parent[1] = GridTransformer(parent[1].transformer_blocks)

    def forward(self, x, timesteps=None, context=None, y=None):
        whole, half = x, x[..., ::2, ::2]
        x = half
        for block in BLOCKS:
            deep = not block.name.startswith(("down_blocks.1", "up_blocks.1"))
            if deep and x.shape[-2:] == half.shape[-2:]:
                x = x[..., ::2, ::2]
            elif not deep:
                x = nn.functional.interpolate(x, half.shape[-2:])  # to the nearest
            transformer = self.get_submodule(block.ldm_name)
            width = transformer.transformer_blocks[0].norm2.normalized_shape[0]
            x = transformer(x.repeat(1, width // x.shape[1], 1, 1), context).unflatten(1, (-1, 4)).mean(1)
        return whole + nn.functional.interpolate(x, whole.shape[-2:])
