"""The formulas inside a self-attention that reads references.

``A(q, k, v) = softmax(q kᵀ / √d) v`` over the picture's own ``q, k, v`` and the reference's ``q_r, k_r, v_r`` at the
same layer and timestep:

* swapping (Visual Style Prompting, https://arxiv.org/abs/2402.12974, equation 4): ``A(q, k_r, v_r)``;
* sharing (StyleAligned, https://arxiv.org/abs/2312.02133, equation 5): ``A(q̂, [k̂; k_r], [v; v_r])``, where ``^`` is
  AdaIN to the reference's statistics;
* with the weight ``w`` and a region's share ``m``, either is mixed with the plain one: ``A + w·m·(A_r − A)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from lib_instantstyle.method.attention import image_attention, split_heads
from lib_instantstyle.method.statistics import POSITIONS, adain, statistics

if TYPE_CHECKING:
    from collections.abc import Sequence


def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, heads: int) -> torch.Tensor:
    """Return ``A(q, k, v)`` ``[rows, positions, heads · d]``; all three are ``[rows, …, heads · d]``."""
    return image_attention(query, split_heads(key, heads), split_heads(value, heads))


def align(own: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """Give ``own`` ``[rows, n, c]`` the mean and deviation of ``reference`` ``[1 or rows, m, c]``, by channel."""
    return adain(own, statistics(reference, POSITIONS), POSITIONS)


def beside(own: torch.Tensor, reference: torch.Tensor, copies: int) -> torch.Tensor:
    """Return ``[own; reference; …]`` along the positions.

    ``n`` copies are ``log n`` added to the reference's scores, in any attention implementation.
    """
    return torch.cat((own, *[reference] * copies), dim=1)


def mix(plain: torch.Tensor, styled: torch.Tensor, weight: float, share: torch.Tensor | None = None) -> torch.Tensor:
    """Return what is added to ``plain`` ``A``: ``w·m·(A_r − A)``; ``share`` is ``m``, ``[1, positions, 1]``."""
    change = (styled - plain) * weight
    return change if share is None else change * share


def in_rows(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """Stack ``[1, …]`` for each row to ``[rows, …]``, without an index that the device would have to wait for."""
    return tensors[0] if len(tensors) == 1 else torch.cat(list(tensors))


def along(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """Join ``[rows, …, channels]`` along the positions."""
    return tensors[0] if len(tensors) == 1 else torch.cat(list(tensors), dim=1)
