"""Content removal in CLIP space. Knows torch only.

InstantStyle, section 3.2: image and text share one space, so the vector of the words that name the content
is subtracted from the vector of the picture. Neither is normalised, before or after.
"""

from __future__ import annotations

import torch

from lib_instantstyle.errors import ParameterError


def split_contents(text: str) -> list[str]:
    """Return the comma-separated contents in ``text``, without empty ones."""
    return [part.strip() for part in text.split(",") if part.strip()]


def subtract_content(embedding: torch.Tensor, contents: torch.Tensor, strength: float) -> torch.Tensor:
    """Compute ``e − s · t``, where ``t`` is the mean of the contents' vectors.

    The mean keeps one strength meaning one amount, however many contents are named: text vectors share a
    large common component, and a sum would remove it once a content.

    Args:
        embedding: ``[rows, d]``, image embeddings of the projection space, not normalised.
        contents: ``[contents, d]``, pooled and projected text embeddings, not normalised.
        strength: ``s``, 0 to 2.

    Returns:
        ``[rows, d]``, float32.

    Raises:
        ParameterError: If the two do not live in the same space.
    """
    if embedding.shape[-1] != contents.shape[-1]:
        raise ParameterError(
            f"Content cannot be removed: the picture's embedding has {embedding.shape[-1]} numbers, the text tower's "
            f"{contents.shape[-1]}. Use an adapter for the ViT-bigG encoder (ip-adapter_sdxl), or empty the "
            "content to remove."
        )
    return embedding.float() - strength * contents.float().mean(dim=0, keepdim=True)
