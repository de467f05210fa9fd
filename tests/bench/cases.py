"""What is measured: plans with their references, and how large the UNet and its inputs are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch

from lib_instantstyle.method.embeddings import Embeddings
from lib_instantstyle.models.towers import BIGG_WIDTH
from lib_instantstyle.params.blocks import Preset, preset_weights
from lib_instantstyle.params.combination import Combine
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.pictures.regions import MASK_SIZE, Mask
from lib_instantstyle.unet.image_projection import ImageProjection
from lib_instantstyle.unet.plan import image_terms
from lib_instantstyle.unet.sources import Sources
from tests.support.architecture import Architecture
from tests.tiny.unet import UNetConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lib_instantstyle.method.memo import TensorMemo
    from lib_instantstyle.models.adapter import Adapter
    from lib_instantstyle.unet.plan import ImageTerm
    from lib_instantstyle.unet.sites import Site


@dataclass(frozen=True)
class Case:
    """One way to use the product.

    Attributes:
        name: For the table.
        preset: Selects the blocks.
        references: Pictures, concatenated where there are several.
        masked: Whether they act in the left half of the picture only.
    """

    name: str
    preset: Preset
    references: int = 1
    masked: bool = False

    @property
    def params(self) -> StyleParams:
        return StyleParams(enabled=True, preset=self.preset, combine=Combine.CONCATENATE)

    @property
    def embeddings(self) -> Embeddings:
        """What an encoder might have seen."""
        pictures = torch.randn(self.references, 1, BIGG_WIDTH, generator=torch.Generator().manual_seed(6))
        return Embeddings(tuple(pictures), torch.zeros(1, BIGG_WIDTH))

    @property
    def mask(self) -> torch.Tensor:
        """``[MASK_SIZE, MASK_SIZE]``, 1 in the left half."""
        mask = torch.zeros(MASK_SIZE, MASK_SIZE)
        mask[:, : MASK_SIZE // 2] = 1.0
        return mask

    def selects(self, site: Site) -> bool:
        return site.block in preset_weights(self.preset)

    def terms(self, sites: Sequence[Site], adapter: Adapter, memo: TensorMemo | None = None) -> tuple[ImageTerm, ...]:
        """Prepare a job as the product does, from embeddings on."""
        masks = {0: Mask((255 * self.mask).to(torch.uint8))} if self.masked else {}
        sources = Sources(self.params, self.embeddings, ImageProjection(adapter, memo), masks=masks)
        return image_terms(sources.all(), sites, adapter, memo)


STYLE = Case("style", Preset.STYLE)
STYLE_LAYOUT = Case("style + layout", Preset.STYLE_LAYOUT)
ALL = Case("all", Preset.ALL)
CASES = (
    STYLE,
    STYLE_LAYOUT,
    ALL,
    Case("style, two references", Preset.STYLE, references=2),
    Case("style, mask", Preset.STYLE, masked=True),
)


class Scale(NamedTuple):
    """How large the UNet and its inputs are."""

    architecture: Architecture
    dtype: torch.dtype
    size: int  # pixels a side, where not the resolution is varied
    batches: tuple[int, ...]  # pictures, each with CFG's two rows
    references: tuple[int, ...] = (1, 2, 4, 8)
    resolutions: tuple[int, ...] = (512, 768, 1024, 1536, 2048)
    steps: tuple[int, ...] = (5, 10, 20)


# A fifth of SDXL's width, the text's too: cross-attention keeps about its share of a step.
MID = Scale(
    Architecture(UNetConfig(64, (1, 2, 4), (0, 2, 10), 10, 512, 2816), head_width=64, number_width=256),
    torch.float32,
    512,
    (1, 2, 4),
)
FULL = Scale(
    Architecture(UNetConfig(320, (1, 2, 4), (0, 2, 10), 10, 2048, 2816), head_width=64, number_width=256),
    torch.float16,
    1024,
    (1, 2, 4),
)
