"""How long preparing a job took, and how much was known from earlier jobs: for the log."""

from __future__ import annotations

import time
from collections import Counter

from lib_instantstyle.method.memo import TensorMemo


class PreparationStats:
    """Adds up the time spent inside its ``with`` blocks, and the look-ups in ``memo`` there."""

    def __init__(self, memo: TensorMemo) -> None:
        self._memo = memo
        self._seconds = 0.0
        self._begun = 0.0
        self._before: Counter[bool] = Counter()
        self._tensors: Counter[bool] = Counter()
        self._embeddings: Counter[bool] = Counter()

    def __enter__(self) -> None:
        """Start the clock."""
        self._begun, self._before = time.perf_counter(), self._memo.lookups.copy()

    def __exit__(self, *exception: object) -> None:
        """Stop the clock."""
        self._seconds += time.perf_counter() - self._begun
        self._tensors += self._memo.lookups - self._before

    def count_embedding(self, known: bool) -> None:
        """Count an embedding that was needed; ``known`` says whether the cache had it."""
        self._embeddings[known] += 1

    def __str__(self) -> str:
        """Return the log's text: ``ready in 8 ms; known: 1 of 1 embeddings, 12 of 12 tensors``."""
        counts = {"embeddings": self._embeddings, "tensors": self._tensors}
        known = [f"{count[True]} of {count.total()} {name}" for name, count in counts.items() if count]
        ready = f"ready in {self._seconds * 1000:.0f} ms"
        return f"{ready}; known: {', '.join(known)}" if known else ready
