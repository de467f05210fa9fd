"""From embeddings to sources of image tokens: removal, combination, regions, layout, subject.

For linear adapters embeddings are averaged. For Plus adapters tokens are, because their embeddings are patches,
each with its own place in the picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.method.embeddings import Embeddings, averaging, mean_embedding, over_tiles
from lib_instantstyle.models.adapter import Kind
from lib_instantstyle.params.block_weights import block_of
from lib_instantstyle.params.blocks import BLOCKS, LAYOUT
from lib_instantstyle.params.combination import Combine
from lib_instantstyle.pictures.regions import MASK_SIZE, Mask, partition
from lib_instantstyle.unet.plan import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lib_instantstyle.params.block_weights import Target
    from lib_instantstyle.params.style_params import StyleParams
    from lib_instantstyle.unet.image_projection import ImageProjection

    Weights = Mapping[Target, float]
    Remove = Callable[[torch.Tensor], torch.Tensor]


class Sources:
    """Makes the sources of one style.

    Args:
        params: The user's settings.
        embeddings: The encoder's output for the job's pictures.
        project: Turns embeddings into the adapter's tokens.
        remove: Removes content from an embedding; None if there is none to remove.
        masks: Regions by the index of their reference.
        factor: The weight of a saved style, which multiplies every strength.
    """

    def __init__(
        self,
        params: StyleParams,
        embeddings: Embeddings,
        project: ImageProjection,
        remove: Remove | None = None,
        masks: Mapping[int, Mask] | None = None,
        factor: float = 1.0,
    ) -> None:
        self._params = params
        self._embeddings = embeddings
        self._project = project
        self._kind = project.kind
        self._remove = remove
        self._masks = masks or {}
        self._factor = factor
        self._weights = params.reference_weights(len(embeddings.style))

    def all(self) -> list[Source]:
        """Return every source that acts.

        Raises:
            ParameterError: If settings contradict each other.
        """
        return [*self._style(), *self._layout(), *self._subject(), *self._anti_layout()]

    def _style(self) -> list[Source]:
        has_layout = self._embeddings.layout is not None
        targets = {t: w for t, w in self._targets().items() if not (has_layout and block_of(t) is LAYOUT)}
        acting = {index: mask for index, mask in self._masks.items() if self._weights[index]}
        areas, rest = partition(acting, len(self._weights))
        if self._params.combine is Combine.PER_PICTURE:
            return [self._cycled(targets)]
        masked = [self._single(targets, index, area) for index, area in enumerate(areas) if area is not None]
        return masked + self._combined(targets, [index for index, area in enumerate(areas) if area is None], rest)

    def _targets(self) -> dict[Target, float]:
        return {target: weight * self._factor for target, weight in self._params.block_weights.items()}

    def _combined(self, targets: Weights, free: Sequence[int], area: torch.Tensor | None) -> list[Source]:
        """Return the references without a mask, combined as set, in the part of the picture that no mask covers."""
        free = [index for index in free if self._weights[index]]
        if not free or (area is not None and not area.any()):
            return []
        if self._params.combine is Combine.ADD:
            return [self._single(targets, index, area) for index in free]
        region = None if area is None else area.unsqueeze(0)
        if self._params.combine is Combine.CONCATENATE:
            tokens = torch.cat([self._tokens(self._embeddings.style[index]) for index in free], dim=1)
            nothing = self._unconditional()
            factors = tuple(self._weights[index] for index in free for _ in range(nothing.shape[1]))
            return [Source(targets, tokens, nothing.repeat(1, len(free), 1), token_factors=factors, region=region)]
        return [Source(targets, self._mean_tokens(free), self._unconditional(), region=region)]

    def _single(self, targets: Weights, index: int, area: torch.Tensor | None) -> Source:
        factor = self._weights[index]
        region = None if area is None else area.unsqueeze(0)
        tokens = self._tokens(self._embeddings.style[index])
        return Source(targets, tokens, self._unconditional(), (factor, factor), region=region)

    def _cycled(self, targets: Weights) -> Source:
        """Return one source whose cycle is the references, each within its own mask."""
        tokens = torch.cat([self._tokens(embedding) for embedding in self._embeddings.style])
        factors = tuple(weight for weight in self._weights for _ in range(2))
        masks = [self._masks.get(index) for index in range(len(self._weights))]
        region = torch.stack([_area(mask) for mask in masks]) if self._masks else None
        return Source(targets, tokens, self._unconditional().expand_as(tokens), factors, region=region)

    def _layout(self) -> list[Source]:
        """Return the separate layout picture, with its content: removal concerns the style references only."""
        if self._embeddings.layout is None or not self._params.takes_layout:
            return []
        targets = {target: weight for target, weight in self._targets().items() if block_of(target) is LAYOUT}
        return [Source(targets, self._plain_tokens(self._embeddings.layout), self._unconditional(), is_style=False)]

    def _subject(self) -> list[Source]:
        """Return the subject picture, at a low weight on all blocks (0.2 in https://arxiv.org/abs/2407.00788)."""
        weight = self._params.subject_weight * self._factor
        if self._embeddings.subject is None or not weight:
            return []
        targets: dict[Target, float] = dict.fromkeys(BLOCKS, weight)
        return [Source(targets, self._plain_tokens(self._embeddings.subject), self._nothing(), is_style=False)]

    def _anti_layout(self) -> list[Source]:
        """Return the references' composition for unconditional rows only, so that CFG pushes away from it."""
        strength = self._params.anti_layout * self._factor
        if not strength:
            return []
        if self._embeddings.layout is None and self._params.takes_layout:
            raise ParameterError(
                "Avoid its composition (anti_layout) pushes away from the composition that the preset "
                f"{self._params.preset.value} takes over. Choose a preset without layout, give a separate layout "
                "picture, or set anti-layout to 0."
            )
        tokens = self._mean_tokens(range(len(self._weights)), plain=True)
        return [Source({LAYOUT: strength}, tokens, tokens, (1.0, 0.0), is_style=False)]

    def _mean_tokens(self, indices: Sequence[int], *, plain: bool = False) -> torch.Tensor:
        if self._kind is Kind.LINEAR:
            embedding = mean_embedding(self._params, self._embeddings, indices)
            return self._project(embedding if plain else self._without_content(embedding))
        tokens = [self._plain_tokens(self._embeddings.style[index]) for index in indices]
        return averaging(self._params)(tokens, [self._weights[index] for index in indices])

    def _tokens(self, embedding: torch.Tensor) -> torch.Tensor:
        """Return the tokens ``[1, tokens, context]`` of one style reference."""
        if self._kind is Kind.LINEAR:
            return self._project(self._without_content(over_tiles(embedding)))
        return self._plain_tokens(embedding)

    def _plain_tokens(self, embedding: torch.Tensor) -> torch.Tensor:
        if self._kind is Kind.LINEAR:
            return self._project(over_tiles(embedding))
        return self._project(embedding).mean(dim=0, keepdim=True)

    def _without_content(self, embedding: torch.Tensor) -> torch.Tensor:
        return embedding if self._remove is None else self._remove(embedding)

    def _unconditional(self) -> torch.Tensor:
        negative = self._embeddings.negative
        return self._nothing() if negative is None else self._plain_tokens(negative)

    def _nothing(self) -> torch.Tensor:
        return self._project(self._embeddings.nothing)


def _area(mask: Mask | None) -> torch.Tensor:
    return torch.ones(MASK_SIZE, MASK_SIZE) if mask is None else mask.values.float() / 255.0
