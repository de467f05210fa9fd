"""A partly downloaded file, and the notes needed to request the rest."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from lib_instantstyle.errors import CancelledDownloadError

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from pathlib import Path

_CHUNK = 1 << 20  # bytes


class PartFile:
    """A partly downloaded file at ``path``, with its notes beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._notes = path.with_name(f"{path.name}.resume")

    @property
    def size(self) -> int:
        """Bytes received so far."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def note(self, address: str, headers: Mapping[str, str]) -> None:
        """Note the server's validator of this version of the file: a strong ETag, or its date."""
        etag = headers.get("ETag", "")
        validator = headers.get("Last-Modified", "") if etag.startswith("W/") or not etag else etag
        self._notes.write_text(json.dumps({"address": address, "validator": validator}), encoding="utf-8")

    def resuming(self, address: str, sha256: str | None) -> dict[str, str]:
        """Return the headers that request the rest; discard the part if nothing could tell whether the rest fits it."""
        try:
            notes = json.loads(self._notes.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            notes = {}
        rest = {"Range": f"bytes={self.size}-"}
        if self.size and notes.get("address") == address and notes.get("validator"):
            return {**rest, "If-Range": notes["validator"]}
        if self.size and sha256:
            return rest  # the hash will be verified
        self.discard()
        return {}

    def sha256(self, cancelled: threading.Event) -> str:
        """Return the hash of the received bytes, or raise a `CancelledDownloadError` once ``cancelled`` is set."""
        digest = hashlib.sha256()
        with self.path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                if cancelled.is_set():
                    raise CancelledDownloadError
        return digest.hexdigest()

    def forget(self) -> None:
        """Delete the notes."""
        self._notes.unlink(missing_ok=True)

    def discard(self) -> None:
        """Delete the received bytes and the notes."""
        self.path.unlink(missing_ok=True)
        self.forget()
