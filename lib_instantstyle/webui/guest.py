"""The vision tower between jobs: on the device only while it looks, in memory for a while, then gone."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from lib_instantstyle.encoder import VisionTower

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

    from lib_instantstyle.encoder import EncoderFile

DEFAULT_MINUTES = 2.0  # for which the tower stays in memory; ViT-bigG takes 3.7 GB there


class Guest:
    """Owner of the one vision tower that may be in memory. Threads take turns."""

    def __init__(self) -> None:
        self._tower: VisionTower | None = None
        self._timer: threading.Timer | None = None
        self._turn = threading.RLock()

    @property
    def is_here(self) -> bool:
        """Whether a tower is in memory."""
        return self._tower is not None

    @contextlib.contextmanager
    def looking(self, file: EncoderFile, device: torch.device, keep_for: float) -> Iterator[VisionTower]:
        """Give the tower of ``file`` on ``device``, and free the device afterwards.

        Args:
            file: Which tower.
            device: Where it looks.
            keep_for: Seconds for which it stays in memory afterwards, for the next new picture; 0 drops it at once.

        Raises:
            EncoderError: If it cannot be loaded.
        """
        from modules import devices

        with self._turn:
            self._cancel()
            try:
                yield self._awake(file, device)
            except BaseException:
                self._tower = None  # it may lie half on the device
                raise
            finally:
                self._rest(keep_for)
                devices.torch_gc()

    def leave(self) -> None:
        """Free the memory."""
        with self._turn:
            self._cancel()
            self._tower = None

    def _awake(self, file: EncoderFile, device: torch.device) -> VisionTower:
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
        self._timer = threading.Timer(keep_for, self.leave)
        self._timer.daemon = True
        self._timer.start()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


GUEST = Guest()
