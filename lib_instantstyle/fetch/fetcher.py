"""Downloads several files in sequence in the background, and reports the progress."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import shutil
import tempfile
import threading
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from lib_instantstyle.errors import CancelledDownloadError, DownloadError, InstantStyleError
from lib_instantstyle.fetch.catalogue import bytes_of, size_text
from lib_instantstyle.fetch.download import Download, Pace, Watch
from lib_instantstyle.fetch.part_file import PartFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lib_instantstyle.fetch.catalogue import FileKind, RemoteFile

PARTS = ".downloads"  # folder for incomplete downloads, within the target folder
_SPARE = 256 * 1024 * 1024  # bytes to leave free on the disk
_BUSY = 409  # HTTP status
logger = logging.getLogger("instantstyle")


class State(str, Enum):
    """The state of a `Fetcher`."""

    IDLE = "idle"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Order:
    """Files to fetch into a folder."""

    folder: Path
    files: tuple[tuple[str, RemoteFile], ...]  # with their addresses
    label: str = ""  # shown to the user

    @property
    def total(self) -> int:
        """Bytes of all files whose size is known."""
        return bytes_of(file for _, file in self.files)

    def part(self, file: RemoteFile) -> Path:
        """Return the path of ``file`` until it is complete."""
        return self.folder / PARTS / file.target

    @property
    def folders(self) -> list[Path]:
        """The folders that are written to, the innermost first."""
        places = [place for _, file in self.files for place in (self.part(file), self.folder / file.target)]
        return sorted({place.parent for place in places}, key=lambda folder: len(folder.parts), reverse=True)

    def by_hand(self) -> tuple[str, ...]:
        """Return the address and the destination of each file, for a manual download."""
        return tuple(f"{address} → {self.folder / file.target}" for address, file in self.files)


@dataclass(frozen=True)
class Progress:
    """The progress of an order."""

    state: State = State.IDLE
    label: str = ""  # of the order
    file: str = ""  # the file in progress
    received: int = 0  # bytes, of all files
    total: int = 0  # bytes, of all files
    message: str = ""  # why the order ended, or that it is being cancelled
    by_hand: tuple[str, ...] = ()  # instructions for a manual download, if it failed


class Fetcher:
    """Works on one order at a time, in its own thread. ``check`` raises an `InstantStyleError` for an invalid file."""

    def __init__(self, check: Callable[[Path, FileKind], None], pace: Pace | None = None) -> None:
        self.progress = Progress()
        self._check = check
        self._pace = pace or Pace()
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, order: Order) -> None:
        """Start the thread.

        Raises:
            DownloadError: If there is nothing to fetch, another order is running, a folder cannot be written, or the
                disk is too full.
        """
        with self._lock:
            if self.progress.state is State.RUNNING:
                raise DownloadError("Models are being fetched already. Wait, or cancel that.", _BUSY)
            if not order.files:
                raise DownloadError("Nothing is missing from this set of models.")
            _check_disk(order)
            self._cancelled.clear()
            self.progress = Progress(State.RUNNING, order.label, total=order.total)
            self._thread = threading.Thread(target=self._work, args=(order,), daemon=True)
            self._thread.start()

    def cancel(self) -> None:
        """Cancel the order: at once, or when the server times out. Received bytes are kept."""
        self._cancelled.set()
        with self._lock:
            if self.progress.state is State.RUNNING:
                self.progress = dataclasses.replace(self.progress, message="Cancelling.")

    def wait(self, seconds: float | None = None) -> Progress:
        """Wait until the order ends, or for ``seconds``."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self.progress

    def _work(self, order: Order) -> None:
        try:
            before = 0
            for address, file in order.files:
                self._update(file=file.target, received=before)
                self._fetch(order, address, file, before)
                before += file.bytes or 0
            _discard_parts(order)
            self._update(state=State.DONE, file="", received=order.total, message=f"Fetched into {order.folder}.")
        except CancelledDownloadError as error:
            self._update(state=State.CANCELLED, message=str(error))
        except (InstantStyleError, OSError) as error:
            logger.warning("Models were not fetched: %s", error)
            self._update(state=State.FAILED, message=str(error), by_hand=order.by_hand())
        finally:
            if self.progress.state is State.RUNNING:  # an unexpected error must not leave it running forever
                self._update(state=State.FAILED, message="It stopped unexpectedly; the console says why.")
            _remove_empty_folders(order)

    def _fetch(self, order: Order, address: str, file: RemoteFile, before: int) -> None:
        target = order.folder / file.target
        if self._is_here(target, file):
            return
        watch = Watch(lambda count: self._update(received=before + count), self._cancelled)
        part = PartFile(order.part(file))
        Download(address, file, part, watch, self._pace).run()
        try:
            self._check(part.path, file.kind)
        except InstantStyleError as error:
            part.discard()
            raise DownloadError(f"What {address} sent was thrown away: {error}") from error
        target.parent.mkdir(parents=True, exist_ok=True)
        part.path.replace(target)

    def _is_here(self, path: Path, file: RemoteFile) -> bool:
        """Whether ``path`` is ``file`` already, by size and structure."""
        if not path.is_file() or file.bytes not in (None, path.stat().st_size):
            return False
        with contextlib.suppress(InstantStyleError):
            self._check(path, file.kind)
            return True
        return False

    def _update(self, **changes: object) -> None:
        with self._lock:
            self.progress = dataclasses.replace(self.progress, **changes)  # type: ignore[arg-type]


def _check_disk(order: Order) -> None:
    try:
        _check_folders(order)
        _check_space(order)
    except DownloadError:
        _remove_empty_folders(order)
        raise


def _check_folders(order: Order) -> None:
    """Make the folders, and write to each: what the system allows is known only then."""
    for folder in order.folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise DownloadError(
                f"The folder {folder} cannot be written ({error.strerror or error}). Make it writable, or name another "
                "one with --instantstyle-models-dir."
            ) from error


def _discard_parts(order: Order) -> None:
    """Delete what is left of the order's own files; other parts wait for their own order to go on."""
    for _, file in order.files:
        PartFile(order.part(file)).discard()


def _remove_empty_folders(order: Order) -> None:
    """Remove those that hold nothing after all; the folder that the user named stays."""
    for folder in (*order.folders, order.folder / PARTS):
        if folder == order.folder:
            continue
        with contextlib.suppress(OSError):  # it is not empty, or not there
            folder.rmdir()


def _check_space(order: Order) -> None:
    parts = (order.part(file) for _, file in order.files)
    here = sum(part.stat().st_size for part in parts if part.is_file())
    needed, free = order.total - here + _SPARE, shutil.disk_usage(order.folder).free
    if needed > free:
        raise DownloadError(
            f"The disk of {order.folder} has {size_text(free)} left, and {size_text(needed)} are needed. Make room, or "
            "choose a smaller set."
        )
