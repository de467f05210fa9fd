"""The download of one file over HTTP: resumable, and verified by size and hash."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import urllib3

from lib_instantstyle.errors import CancelledDownloadError, DownloadError, UnreachableError
from lib_instantstyle.fetch.catalogue import size_text
from lib_instantstyle.fetch.session import Session, is_passing, reason_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from lib_instantstyle.fetch.catalogue import RemoteFile
    from lib_instantstyle.fetch.part_file import PartFile

_CHUNK = 1 << 16  # bytes; an older urllib3 loses up to so many where a connection breaks
_UNKNOWN_LIMIT = 1 << 20  # bytes; files of unknown size are small texts
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_WHOLE, _PARTIAL, _UNSATISFIABLE = 200, 206, 416  # HTTP statuses
_FIRST_TRIES = 2
_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)  # HTTP statuses worth another attempt


@dataclass(frozen=True)
class Pace:
    """The timeout of a download and the pauses between its attempts, in seconds."""

    timeout: float = 20.0  # without a connection, or a byte
    pauses: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0)  # one per failure in a row; after the last it gives up

    @property
    def first_tries(self) -> int:
        """How often a server that never answered is asked again, before the user waits in vain."""
        return min(_FIRST_TRIES, len(self.pauses))


@dataclass(frozen=True)
class Watch:
    """How to report the progress of a download, and to cancel it."""

    received: Callable[[int], None] = lambda _count: None  # called with the number of bytes received
    cancelled: threading.Event = field(default_factory=threading.Event)  # set it to cancel


class Download:
    """Downloads ``file`` from ``address`` into ``part``, which may hold its beginning from an earlier attempt."""

    def __init__(self, address: str, file: RemoteFile, part: PartFile, watch: Watch, pace: Pace) -> None:
        self._address = address
        self._file = file
        self._part = part
        self._watch = watch
        self._pace = pace
        self._session = Session()
        self._unanswered: int | None = 0  # requests without an answer so far; None since there was one
        self._limit = _UNKNOWN_LIMIT if file.bytes is None else file.bytes

    def run(self) -> None:
        """Receive the whole file, and verify its size and hash.

        Raises:
            UnreachableError: If the server does not answer.
            CancelledDownloadError: If it was cancelled; the received bytes are kept.
            DownloadError: If the server refuses, the connection breaks too often or the file is not the expected one.
            OSError: If the file cannot be written.
        """
        self._part.path.parent.mkdir(parents=True, exist_ok=True)
        with self._session:
            self._receive_all()
        self._verify()
        self._part.forget()

    def _receive_all(self) -> None:
        failures, best = 0, self._part.size
        while not self._receive():
            failures = 0 if self._part.size > best else failures + 1
            best = max(best, self._part.size)
            if failures > len(self._pace.pauses):
                raise DownloadError(
                    f"The connection to {self._address} broke {failures} times in a row. What was received "
                    f"({size_text(self._part.size)}) is kept: try again later, or set a mirror."
                )
            if self._watch.cancelled.wait(self._pace.pauses[max(failures - 1, 0)]):
                raise CancelledDownloadError

    def _receive(self) -> bool:
        """Receive the missing bytes; False if the connection broke."""
        if self._file.bytes is not None and self._part.size == self._file.bytes:
            return True
        response = self._response()
        if response is None:
            return False
        with response:
            start, total = self._extent(response)
            self._part.note(self._address, response.headers)
            return self._write(response, start) and total in (None, self._part.size)

    def _response(self) -> requests.Response | None:
        """Return the server's response, to be closed by the caller; None if another request may succeed."""
        resuming = self._part.resuming(self._address, self._file.sha256)
        try:
            response = self._session.get(self._address, headers=resuming, stream=True, timeout=self._pace.timeout)
        except OSError as error:  # as all errors of requests are, and what it says of a bundle that is not there
            self._count_unanswered(error)
            return None
        self._unanswered = None
        if response.status_code in (_WHOLE, _PARTIAL):
            return response
        with response:
            self._check_status(response)
        return None

    def _count_unanswered(self, error: OSError) -> None:
        """Raise an `UnreachableError` if the server never answered, and asking once more is no use."""
        if self._unanswered is not None:
            self._unanswered += 1
        if not is_passing(error) or (self._unanswered or 0) > self._pace.first_tries:
            raise UnreachableError(
                f"{self._address} cannot be reached ({reason_of(error)}). Is this computer online? "
                "Settings → InstantStyle takes a mirror."
            ) from error

    def _check_status(self, response: requests.Response) -> None:
        """Raise a `DownloadError` for a status that another request will not change."""
        if response.status_code == _UNSATISFIABLE:
            self._part.discard()  # the part is longer than the server's file
        elif response.status_code not in _TRANSIENT:
            raise DownloadError(
                f"{self._address} answers {response.status_code} ({response.reason}). Set another mirror in the "
                "settings, or fetch the file by hand."
            )

    def _extent(self, response: requests.Response) -> tuple[int, int | None]:
        """Return where the response starts in the file, and the size of the whole file, if known."""
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise DownloadError(f"{self._address} sends the file compressed. Set another mirror.")
        length = response.headers.get("Content-Length", "")
        start, total = 0, int(length) if length.isdecimal() else None
        if response.status_code == _PARTIAL:
            match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
            start, total = (int(match[1]), int(match[2])) if match else (-1, None)
        if start not in (0, self._part.size):
            self._part.discard()
            raise DownloadError(f"{self._address} sends another part than was asked for. Try again, or set a mirror.")
        if total is not None and (total > self._limit or self._file.bytes not in (None, total)):
            raise DownloadError(
                f"{self._address} offers {total} bytes where {self._limit} were expected: another file, or the login "
                "page of a network. Set another mirror, or fetch the file by hand."
            )
        return start, self._file.bytes if total is None else total

    def _write(self, response: requests.Response, start: int) -> bool:
        """Write the response to the part; False if the connection broke."""
        read = getattr(response.raw, "read1", response.raw.read)  # what has arrived, be it little
        with self._part.path.open("ab" if start else "wb") as file:
            while True:
                try:
                    chunk = read(_CHUNK)
                except (OSError, urllib3.exceptions.HTTPError):
                    return False
                if not chunk:
                    return True
                if file.tell() + len(chunk) > self._limit:
                    raise DownloadError(f"{self._address} sends more than the {self._limit} bytes that were expected.")
                file.write(chunk)
                self._watch.received(file.tell())
                if self._watch.cancelled.is_set():
                    raise CancelledDownloadError

    def _verify(self) -> None:
        if self._file.sha256 is None:
            return
        found = self._part.sha256(self._watch.cancelled)
        if found != self._file.sha256:
            self._part.discard()
            raise DownloadError(
                f"{self._address} sent a file with SHA-256 {found[:12]}… instead of {self._file.sha256[:12]}…. It was "
                "thrown away. Try again, or set another mirror."
            )
