"""A file server on this machine that misbehaves as it is told."""

from __future__ import annotations

import hashlib
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CERTIFICATE = Path(__file__).with_name("localhost.pem")  # and the key


@dataclass
class Mood:
    """How one request is answered; the default is as it should be.

    Attributes:
        bytes: Sends so many and closes the connection.
        stall: Seconds of silence after these bytes, instead of closing.
        claim: Is added to the length that is announced.
        ranges: Whether Range is understood.
        status: Another status than 200, without content.
        location: Redirects there.
        content: Sends this instead.
        length: Whether the length is announced at all.
        etag: Instead of the content's own.
        chunked: Sends it in chunks, whose lengths stand before them.
        hangs_up: Closes the connection without an answer.
    """

    bytes: int | None = None
    stall: float = 0.0
    claim: int = 0
    ranges: bool = True
    status: int = 200
    location: str = ""
    content: bytes | None = None
    length: bool = True
    etag: str | None = None
    chunked: bool = False
    hangs_up: bool = False


@dataclass
class Shelf:
    """Files by path, and what was asked for.

    Attributes:
        url: Of the server.
        files: Contents by path, with the leading slash.
        moods: Of the next requests, in order; good ones after that.
        requests: ``path, Range header`` of each; to a proxy the path is a whole address.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    moods: list[Mood] = field(default_factory=list)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        shelf = self.server.shelf
        shelf.requests.append((self.path, self.headers.get("Range")))
        mood = shelf.moods.pop(0) if shelf.moods else Mood()
        if mood.hangs_up:
            self.close_connection = True
            return
        if mood.location or mood.status != 200 or self.path not in shelf.files:
            self._refuse(mood)
            return
        content = mood.content if mood.content is not None else shelf.files[self.path]
        self._send(mood, content, self._start(mood, content))

    def _refuse(self, mood: Mood) -> None:
        self.send_response(302 if mood.location else mood.status if mood.status != 200 else 404)
        if mood.location:
            self.send_header("Location", mood.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _start(self, mood: Mood, content: bytes) -> int:
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        return int(match[1]) if match and mood.ranges and condition in (None, _etag(mood, content)) else 0

    def _send(self, mood: Mood, content: bytes, start: int) -> None:
        if start >= len(content) > 0:
            self._refuse(Mood(status=416))
            return
        self.send_response(206 if start else 200)
        self.send_header("ETag", _etag(mood, content))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content) + mood.claim}")
        if mood.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif mood.length:
            self.send_header("Content-Length", str(len(content) - start + mood.claim))
        self.end_headers()
        end = len(content) if mood.bytes is None else start + mood.bytes
        sent = content[start:end]
        self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(sent), sent) if mood.chunked else sent)
        self.wfile.flush()
        if mood.stall:
            self.server.shelf.closing.wait(mood.stall)
        self.close_connection = True

    def log_message(self, *_args: object) -> None:
        """Stay silent."""


class _Server(ThreadingHTTPServer):
    shelf: Shelf

    def handle_error(self, *_args: object) -> None:
        """Stay silent: clients that hang up are what is tested."""


def _etag(mood: Mood, content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:16]}"' if mood.etag is None else mood.etag


@contextmanager
def serve(*, tls: bool = False) -> Iterator[Shelf]:
    """Serve a shelf until the block ends; with ``tls`` by https, under our own certificate."""
    server = _Server(("127.0.0.1", 0), _Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.shelf = Shelf(f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.shelf
    finally:
        server.shelf.closing.set()
        server.shutdown()
        server.server_close()
