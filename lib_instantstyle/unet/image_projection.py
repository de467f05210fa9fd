"""An adapter's image projection: from the encoder's embedding to image tokens, cached across jobs."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import torch

from lib_instantstyle.errors import AdapterError
from lib_instantstyle.method.memo import TensorMemo, digest
from lib_instantstyle.method.projection import project_linear, project_resampler
from lib_instantstyle.models.adapter import Kind

if TYPE_CHECKING:
    from lib_instantstyle.models.adapter import Adapter


class ImageProjection:
    """Turns embeddings into tokens. Its weights are read for the first embedding whose tokens ``memo`` lacks."""

    def __init__(self, adapter: Adapter, memo: TensorMemo | None = None) -> None:
        self.kind = adapter.kind
        self._adapter = adapter
        self._memo = TensorMemo() if memo is None else memo

    def __call__(self, embedding: torch.Tensor) -> torch.Tensor:
        """Project ``embedding`` as `project_linear` or `project_resampler` does.

        Raises:
            AdapterError: If weights are missing, their shapes do not fit, or the tokens are not finite.
        """
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
        project = project_linear if self.kind is Kind.LINEAR else project_resampler
        try:
            return project(embedding, self._weights)
        except (KeyError, RuntimeError) as error:  # tensors are missing, or their shapes do not fit
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
