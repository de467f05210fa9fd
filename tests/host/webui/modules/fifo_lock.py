"""A lock that is granted in the order in which it was asked for."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any


class FIFOLock:
    """Not reentrant, as the host's: a thread that takes it twice waits for ever."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Event] = deque()

    def acquire(self, blocking: bool = True) -> bool:
        with self._guard:
            if not self._held:
                self._held = True
                return True
            if not blocking:
                return False
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()
        return True

    def release(self) -> None:
        """Hand the lock to the thread that has waited longest."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._held = False

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_details: Any) -> None:
        self.release()
