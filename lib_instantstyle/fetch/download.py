"""The download of one file over HTTP: resumable, and verified by size and hash."""

from __future__ import annotations

import http.client
import re
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lib_instantstyle.errors import CancelledDownloadError, DownloadError, UnreachableError
from lib_instantstyle.fetch.catalogue import size_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from lib_instantstyle.fetch.catalogue import RemoteFile
    from lib_instantstyle.fetch.part_file import PartFile

_CHUNK = 1 << 18  # bytes
_UNKNOWN_LIMIT = 1 << 20  # bytes; files of unknown size are small texts
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_AGENT = "sd-webui-instantstyle"
_PARTIAL, _UNSATISFIABLE = 206, 416  # HTTP statuses
_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)  # HTTP statuses worth another attempt


@dataclass(frozen=True)
class Pace:
    """The timeout of a download and the pauses between its attempts, in seconds."""

    timeout: float = 20.0  # without a byte
    pauses: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0)  # one per failure in a row; after the last it gives up


@dataclass(frozen=True)
class Watch:
    """How to report the progress of a download, and to cancel it."""

    received: Callable[[int], None] = lambda _count: None  # called with the number of bytes received
    cancelled: threading.Event = field(default_factory=threading.Event)  # set it to cancel


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from https to an insecure scheme."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not newurl.startswith("https://") and (req.type == "https" or not newurl.startswith("http://")):
            raise DownloadError(f"{req.host} redirects to {newurl}, which is not secure. Choose another mirror.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Download:
    """Downloads ``file`` from ``address`` into ``part``, which may hold its beginning from an earlier attempt."""

    def __init__(self, address: str, file: RemoteFile, part: PartFile, watch: Watch, pace: Pace) -> None:
        self._address = address
        self._file = file
        self._part = part
        self._watch = watch
        self._pace = pace
        self._opener = urllib.request.build_opener(_Redirects)
        self._answered = False
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
        self._verify()
        self._part.forget()

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

    def _response(self) -> Any:
        """Return the server's response, to be closed by the caller; None if another request may succeed."""
        resuming = self._part.resuming(self._address, self._file.sha256)
        request = urllib.request.Request(self._address, headers={"User-Agent": _AGENT, **resuming})
        try:
            response = self._opener.open(request, timeout=self._pace.timeout)
        except urllib.error.HTTPError as error:
            self._check_status(error)
            return None
        except (OSError, http.client.HTTPException) as error:
            if not self._answered:
                raise UnreachableError(
                    f"{self._address} cannot be reached ({getattr(error, 'reason', error)}). Is this computer online? "
                    "Settings → InstantStyle takes a mirror."
                ) from error
            return None
        self._answered = True
        return response

    def _check_status(self, error: urllib.error.HTTPError) -> None:
        """Raise a `DownloadError` for a status that another request will not change."""
        if error.code == _UNSATISFIABLE:
            self._part.discard()  # the part is longer than the server's file
        elif error.code not in _TRANSIENT:
            raise DownloadError(
                f"{self._address} answers {error.code} ({error.reason}). Set another mirror in the settings, or "
                "fetch the file by hand."
            ) from error

    def _extent(self, response: Any) -> tuple[int, int | None]:
        """Return where the response starts in the file, and the size of the whole file, if known."""
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise DownloadError(f"{self._address} sends the file compressed. Set another mirror.")
        start, total = 0, response.length
        if response.status == _PARTIAL:
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

    def _write(self, response: Any, start: int) -> bool:
        """Write the response to the part; False if the connection broke."""
        with self._part.path.open("ab" if start else "wb") as file:
            while True:
                try:
                    chunk = response.read1(_CHUNK)
                except (OSError, http.client.HTTPException):
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
