"""From embeddings to sources of image tokens: removal, combination, regions, layout, subject. Knows torch only.

Averages are taken where the adapter's space allows it: embeddings of linear adapters, tokens of Plus adapters,
whose embeddings are patches with a place of their own.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import torch

from lib_instantstyle.block_weights import block_of
from lib_instantstyle.blocks import BLOCKS, LAYOUT
from lib_instantstyle.checkpoint import Kind
from lib_instantstyle.combine import Combine, parse_weights
from lib_instantstyle.embeddings import Embeddings, averaging, mean_embedding, over_tiles
from lib_instantstyle.errors import AdapterError, ParameterError
from lib_instantstyle.memo import TensorMemo, digest
from lib_instantstyle.plan import Source
from lib_instantstyle.projection import project_linear, project_resampler
from lib_instantstyle.regions import MASK_SIZE, Mask, partition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lib_instantstyle.block_weights import Target
    from lib_instantstyle.checkpoint import Adapter
    from lib_instantstyle.params import StyleParams

    Weights = Mapping[Target, float]
    Remove = Callable[[torch.Tensor], torch.Tensor]


class Sources:
    """Makes the sources of one styling.

    Args:
        params: What is wished.
        embeddings: What the encoder saw.
        adapter: Turns embeddings into tokens.
        remove: Takes content out of an embedding; None where nothing is to be removed.
        factor: Multiplies every strength: the weight of a saved style.
        memo: Tokens of earlier jobs; with all of them known, the adapter is not read.
    """

    def __init__(
        self,
        params: StyleParams,
        embeddings: Embeddings,
        adapter: Adapter,
        remove: Remove | None = None,
        factor: float = 1.0,
        memo: TensorMemo | None = None,
    ) -> None:
        self._params = params
        self._embeddings = embeddings
        self._adapter = adapter
        self._kind = adapter.kind
        self._memo = TensorMemo() if memo is None else memo
        self._remove = remove
        self._factor = factor
        self._shares = parse_weights(params.weights, len(embeddings.style))

    def all(self) -> list[Source]:
        """Return every source that acts.

        Raises:
            ParameterError: If wishes contradict each other.
        """
        return [*self._style(), *self._layout(), *self._subject(), *self._anti_layout()]

    def _style(self) -> list[Source]:
        targets = {
            t: w for t, w in self._targets().items() if self._embeddings.layout is None or block_of(t) is not LAYOUT
        }
        acting = {index: mask for index, mask in self._embeddings.masks.items() if self._shares[index]}
        shares, rest = partition(acting, len(self._shares))
        if self._params.combine is Combine.PER_PICTURE:
            return [self._cycled(targets)]
        masked = [index for index, share in enumerate(shares) if share is not None]
        free = [index for index, share in enumerate(shares) if share is None]
        region = None if rest is None else rest.unsqueeze(0)
        return [self._single(targets, index, shares[index]) for index in masked] + self._combined(targets, free, region)

    def _targets(self) -> dict[Target, float]:
        return {target: weight * self._factor for target, weight in self._params.block_weights.items()}

    def _combined(self, targets: Weights, free: Sequence[int], region: torch.Tensor | None) -> list[Source]:
        """Return the references without a mask, combined as wished, in what the masks leave of the picture."""
        free = [index for index in free if self._shares[index]]
        if not free or (region is not None and not region.any()):
            return []
        if self._params.combine is Combine.ADD:
            return [self._single(targets, index, None if region is None else region[0]) for index in free]
        if self._params.combine is Combine.CONCATENATE:
            tokens = torch.cat([self._tokens(self._embeddings.style[index]) for index in free], dim=1)
            nothing = self._unconditional().repeat(1, len(free), 1)
            count = nothing.shape[1] // len(free)
            factors = tuple(self._shares[index] for index in free for _ in range(count))
            return [Source(targets, tokens, nothing, token_factors=factors, region=region)]
        return [Source(targets, self._mean_tokens(free), self._unconditional(), region=region)]

    def _single(self, targets: Weights, index: int, share: torch.Tensor | None) -> Source:
        factor = self._shares[index]
        region = None if share is None else share.unsqueeze(0)
        tokens = self._tokens(self._embeddings.style[index])
        return Source(targets, tokens, self._unconditional(), (factor, factor), region=region)

    def _cycled(self, targets: Weights) -> Source:
        """Return one variant a reference, for the pictures of the batch in turn, each within its own mask."""
        tokens = torch.cat([self._tokens(embedding) for embedding in self._embeddings.style])
        factors = tuple(share for share in self._shares for _ in range(2))
        masks = self._embeddings.masks
        region = torch.stack([_share(masks.get(index)) for index in range(len(self._shares))]) if masks else None
        return Source(targets, tokens, self._unconditional().expand_as(tokens), factors, region=region)

    def _layout(self) -> list[Source]:
        """Return the separate layout picture. The removed content is the style references', so it keeps its own."""
        if self._embeddings.layout is None or not self._params.takes_layout:
            return []
        targets = {target: weight for target, weight in self._targets().items() if block_of(target) is LAYOUT}
        return [Source(targets, self._plain_tokens(self._embeddings.layout), self._unconditional(), is_style=False)]

    def _subject(self) -> list[Source]:
        """Return the picture to keep, low on all blocks (InstantStyle-Plus: 0.2)."""
        weight = self._params.subject_weight * self._factor
        if self._embeddings.subject is None or not weight:
            return []
        targets: dict[Target, float] = dict.fromkeys(BLOCKS, weight)
        return [Source(targets, self._plain_tokens(self._embeddings.subject), self._nothing(), is_style=False)]

    def _anti_layout(self) -> list[Source]:
        """Return the references' composition for the unconditional rows alone, so that CFG pushes away from it."""
        strength = self._params.anti_layout * self._factor
        if not strength:
            return []
        if self._embeddings.layout is None and self._params.takes_layout:
            raise ParameterError(
                "Anti-layout (anti_layout) pushes away from the composition that the preset "
                f"{self._params.preset.value} takes over. Choose a preset without layout, give a separate layout "
                "picture, or set anti-layout to 0."
            )
        tokens = self._mean_tokens(range(len(self._shares)), plain=True)
        return [Source({LAYOUT: strength}, tokens, tokens, (1.0, 0.0), is_style=False)]

    def _mean_tokens(self, indices: Sequence[int], *, plain: bool = False) -> torch.Tensor:
        if self._kind is Kind.LINEAR:
            embedding = mean_embedding(self._params, self._embeddings, indices)
            return self._project(embedding if plain else self._without_content(embedding))
        tokens = [self._plain_tokens(self._embeddings.style[index]) for index in indices]
        return averaging(self._params)(tokens, [self._shares[index] for index in indices])

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

    def _project(self, embedding: torch.Tensor) -> torch.Tensor:
        key = ("tokens", self._fingerprint, digest(embedding))
        known = self._memo.get(key)
        if known is not None:
            return known[0]
        tokens = self._projected(embedding)
        if not torch.isfinite(tokens).all():  # before it is remembered
            raise AdapterError(
                f"{self._adapter.path.name} gives NaN or infinity in its image projection. Download the adapter again."
            )
        self._memo.put(key, tokens)
        return tokens

    def _projected(self, embedding: torch.Tensor) -> torch.Tensor:
        project = project_linear if self._kind is Kind.LINEAR else project_resampler
        try:
            return project(embedding, self._weights)
        except (KeyError, RuntimeError) as error:  # tensors are missing, or their shapes contradict each other
            raise AdapterError(
                f"The image projection of {self._adapter.path.name} cannot be used ({error}). Download the adapter "
                "again."
            ) from error

    @functools.cached_property
    def _fingerprint(self) -> str:
        return self._adapter.fingerprint

    @functools.cached_property
    def _weights(self) -> dict[str, torch.Tensor]:
        return self._adapter.read_projection()


def _share(mask: Mask | None) -> torch.Tensor:
    return torch.ones(MASK_SIZE, MASK_SIZE) if mask is None else mask.values.float() / 255.0
