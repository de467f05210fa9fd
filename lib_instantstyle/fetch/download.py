"""One file over HTTP: what was received is kept and resumed, and counts only when whole and checked."""

from __future__ import annotations

import contextlib
import http.client
import re
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lib_instantstyle.errors import CancelledDownloadError, DownloadError, UnreachableError
from lib_instantstyle.fetch.sizes import size_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lib_instantstyle.fetch.catalogue import RemoteFile
    from lib_instantstyle.fetch.part_file import PartFile

_CHUNK = 1 << 18  # bytes
_UNKNOWN_LIMIT = 1 << 20  # bytes; files of unknown size are small texts
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_AGENT = "sd-webui-instantstyle"
_PARTIAL, _UNSATISFIABLE = 206, 416
_PASSING = (408, 425, 429, 500, 502, 503, 504)  # HTTP answers after which trying again makes sense


@dataclass(frozen=True)
class Pace:
    """How patient a download is.

    Attributes:
        timeout: Seconds without a byte after which the connection counts as dead.
        pauses: Seconds before each new attempt; as many attempts fail in a row before it gives up.
    """

    timeout: float = 20.0
    pauses: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0)


@dataclass(frozen=True)
class Watch:
    """How a download reports its progress, and how it is cancelled.

    Attributes:
        received: Called with the number of bytes of the file that are here.
        cancelled: Ends the download when set.
    """

    received: Callable[[int], None] = lambda _count: None
    cancelled: threading.Event = field(default_factory=threading.Event)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from https to something weaker."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not newurl.startswith("https://") and (req.type == "https" or not newurl.startswith("http://")):
            raise DownloadError(f"{req.host} redirects to {newurl}, which is not secure. Choose another mirror.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _BrokenError(Exception):
    """The connection ended before the file did."""


class Download:
    """The file ``file`` from ``address`` into ``part``, which may hold its beginning from an earlier attempt."""

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
        """Receive all of it and check size and hash.

        Raises:
            UnreachableError: If nothing answers at the address.
            CancelledDownloadError: If it was cancelled; what is here stays, to be resumed.
            DownloadError: If it cannot be received, or is not the file that was expected.
            OSError: If the disk refuses.
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
        """Receive what is missing; False where the connection broke."""
        if self._file.bytes is not None and self._part.size == self._file.bytes:
            return True
        with self._response() as response:
            if response is None:
                return False
            start, total = self._extent(response)
            self._part.note(self._address, response.headers)
            with contextlib.suppress(_BrokenError):
                self._write(response, start)
                return total in (None, self._part.size)
            return False

    @contextlib.contextmanager
    def _response(self) -> Iterator[Any]:
        """Give the server's answer, None where it would be better to ask again."""
        resuming = self._part.resuming(self._address, self._file.sha256)
        request = urllib.request.Request(self._address, headers={"User-Agent": _AGENT, **resuming})
        try:
            response = self._opener.open(request, timeout=self._pace.timeout)
        except urllib.error.HTTPError as error:
            self._judge(error)
            yield None
        except (OSError, http.client.HTTPException) as error:
            if not self._answered:
                raise UnreachableError(
                    f"{self._address} cannot be reached ({getattr(error, 'reason', error)}). Is this computer online? "
                    "Settings → InstantStyle takes a mirror."
                ) from error
            yield None
        else:
            self._answered = True
            with response:
                yield response

    def _judge(self, error: urllib.error.HTTPError) -> None:
        """Refuse answers that will not change."""
        if error.code == _UNSATISFIABLE:
            self._part.discard()  # what is here is longer than what is there
        elif error.code not in _PASSING:
            raise DownloadError(
                f"{self._address} answers {error.code} ({error.reason}). Set another mirror in the settings, or "
                "fetch the file by hand."
            ) from error

    def _extent(self, response: Any) -> tuple[int, int | None]:
        """Return where the answer begins, and how long the whole file is, as far as anybody knows."""
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

    def _write(self, response: Any, start: int) -> None:
        with self._part.path.open("ab" if start else "wb") as file:
            for chunk in _chunks(response):
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


def _chunks(response: Any) -> Iterator[bytes]:
    try:
        while chunk := response.read1(_CHUNK):
            yield chunk
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenError from error
