"""Names and shapes of LDM UNets, derived from a configuration as the original constructor derives them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class UNetConfig:
    """What distinguishes SDXL, its refiner and Stable Diffusion 1.5.

    Attributes:
        channels: Width of the first level.
        multipliers: Width of each level, in multiples of ``channels``.
        depths: Transformer layers at each level; 0 where a level has no attention.
        middle_depth: Transformer layers of the middle block.
        context: Width of the text context.
        vector: Width of the pooled vector input, or None.
        linear_projections: Whether proj_in and proj_out are linear (SDXL) or 1×1 convolutions.
    """

    channels: int
    multipliers: tuple[int, ...]
    depths: tuple[int, ...]
    middle_depth: int
    context: int
    vector: int | None
    linear_projections: bool = True
    residual_blocks: int = 2


# Half as wide as SDXL from the second level on, for speed: most time goes into keys and values of the wide text.
SDXL = UNetConfig(32, (1, 1, 2), (0, 2, 10), 10, 2048, 2816)
SDXL_WIDE = dataclasses.replace(SDXL, multipliers=(1, 2, 4))
REFINER = UNetConfig(32, (1, 1, 2, 2), (0, 2, 2, 0), 2, 1280, 2560)
SD15 = UNetConfig(32, (1, 2, 4, 4), (1, 1, 1, 0), 1, 768, None, linear_projections=False)


def unet_shapes(config: UNetConfig) -> Shapes:
    """Return every tensor of the UNet, without a prefix."""
    return _UNet(config).shapes


class _UNet:
    def __init__(self, config: UNetConfig) -> None:
        self.config = config
        self.shapes: Shapes = {}
        self.embedding = 4 * config.channels
        self._mlp("time_embed", config.channels)
        if config.vector is not None:
            self._mlp("label_emb.0", config.vector)
        self._up(self._down())
        self._norm("out.0", config.channels)
        self._convolution("out.2", config.channels, 4)

    def _down(self) -> list[int]:
        config, skips = self.config, [self.config.channels]
        self._convolution("input_blocks.0.0", 4, config.channels)
        for level, multiplier in enumerate(config.multipliers):
            for _ in range(config.residual_blocks):
                name, width = f"input_blocks.{len(skips)}", config.channels * multiplier
                self._residual(f"{name}.0", skips[-1], width)
                self._transformer(f"{name}.1", width, config.depths[level])
                skips.append(width)
            if level < len(config.multipliers) - 1:
                self._convolution(f"input_blocks.{len(skips)}.0.op", skips[-1], skips[-1])
                skips.append(skips[-1])
        self._residual("middle_block.0", skips[-1], skips[-1])
        self._transformer("middle_block.1", skips[-1], config.middle_depth)
        self._residual("middle_block.2", skips[-1], skips[-1])
        return skips

    def _up(self, skips: list[int]) -> None:
        config, current, index = self.config, skips[-1], 0
        for level, multiplier in reversed(list(enumerate(config.multipliers))):
            for position in range(config.residual_blocks + 1):
                name, width = f"output_blocks.{index}", config.channels * multiplier
                self._residual(f"{name}.0", current + skips.pop(), width)
                self._transformer(f"{name}.1", width, config.depths[level])
                if level and position == config.residual_blocks:
                    self._convolution(f"{name}.{2 if config.depths[level] else 1}.conv", width, width)
                current, index = width, index + 1

    def _residual(self, name: str, inputs: int, outputs: int) -> None:
        self._norm(f"{name}.in_layers.0", inputs)
        self._convolution(f"{name}.in_layers.2", inputs, outputs)
        self._linear(f"{name}.emb_layers.1", self.embedding, outputs)
        self._norm(f"{name}.out_layers.0", outputs)
        self._convolution(f"{name}.out_layers.3", outputs, outputs)
        if inputs != outputs:
            self._convolution(f"{name}.skip_connection", inputs, outputs, kernel=1)

    def _transformer(self, name: str, width: int, depth: int) -> None:
        if not depth:
            return
        self._norm(f"{name}.norm", width)
        for projection in ("proj_in", "proj_out"):
            if self.config.linear_projections:
                self._linear(f"{name}.{projection}", width, width)
            else:
                self._convolution(f"{name}.{projection}", width, width, kernel=1)
        for layer in range(depth):
            block = f"{name}.transformer_blocks.{layer}"
            self._attention(f"{block}.attn1", width, width)
            self._attention(f"{block}.attn2", width, self.config.context)
            self._linear(f"{block}.ff.net.0.proj", width, 8 * width)
            self._linear(f"{block}.ff.net.2", 4 * width, width)
            for norm in ("norm1", "norm2", "norm3"):
                self._norm(f"{block}.{norm}", width)

    def _attention(self, name: str, width: int, context: int) -> None:
        self.shapes[f"{name}.to_q.weight"] = (width, width)
        self.shapes[f"{name}.to_k.weight"] = (width, context)
        self.shapes[f"{name}.to_v.weight"] = (width, context)
        self._linear(f"{name}.to_out.0", width, width)

    def _mlp(self, name: str, inputs: int) -> None:
        self._linear(f"{name}.0", inputs, self.embedding)
        self._linear(f"{name}.2", self.embedding, self.embedding)

    def _norm(self, name: str, width: int) -> None:
        self.shapes |= {f"{name}.weight": (width,), f"{name}.bias": (width,)}

    def _linear(self, name: str, inputs: int, outputs: int) -> None:
        self.shapes |= {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}

    def _convolution(self, name: str, inputs: int, outputs: int, kernel: int = 3) -> None:
        self.shapes |= {f"{name}.weight": (outputs, inputs, kernel, kernel), f"{name}.bias": (outputs,)}
