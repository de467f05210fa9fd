"""The vision tower between jobs: on the device only while it encodes, in memory for a while, then gone."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import torch

from lib_instantstyle.models.encoder_file import EncoderFile
from lib_instantstyle.models.vision_tower import VisionTower


class EncoderHolder:
    """Owns the one vision tower that may be in memory; threads take turns. ``free_memory`` empties the GPU's cache."""

    def __init__(self, free_memory: Callable[[], None]) -> None:
        self._free_memory = free_memory
        self._tower: VisionTower | None = None
        self._timer: threading.Timer | None = None
        self._turn = threading.RLock()

    @property
    def holds_tower(self) -> bool:
        """Whether a tower is in memory."""
        return self._tower is not None

    @contextlib.contextmanager
    def acquire(self, file: EncoderFile, device: torch.device, keep_for: float) -> Iterator[VisionTower]:
        """Yield the tower of ``file`` on ``device``, and free the device afterwards.

        For the next new picture the tower stays in CPU memory for ``keep_for`` seconds; 0 drops it at once.

        Raises:
            EncoderError: If the tower cannot be loaded.
        """
        with self._turn:
            self._cancel_timer()
            try:
                yield self._on_device(file, device)
            except BaseException:
                self._tower = None  # it may be only partly on the device
                raise
            finally:
                self._rest(keep_for)
                self._free_memory()

    def release(self) -> None:
        """Drop the tower."""
        with self._turn:
            self._cancel_timer()
            self._tower = None

    def _on_device(self, file: EncoderFile, device: torch.device) -> VisionTower:
        if self._tower is None or (self._tower.file.fingerprint, self._tower.device) != (file.fingerprint, device):
            self._tower = None  # before the next one is read
            self._tower = VisionTower(file, device)
        else:
            self._tower.wake()
        return self._tower

    def _rest(self, keep_for: float) -> None:
        if not keep_for:
            self._tower = None
        if self._tower is None:
            return
        self._tower.rest()
        self._timer = threading.Timer(keep_for, self.release)
        self._timer.daemon = True
        self._timer.start()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
