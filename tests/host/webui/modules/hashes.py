"""SHA-256 of model files, computed once per title and modification time."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from modules import shared
from modules.paths_internal import data_path

_CACHE = Path(data_path) / "cache" / "hashes.json"
_CHUNK = 1 << 20


def _read() -> dict[str, dict]:
    return json.loads(_CACHE.read_text(encoding="utf-8")) if _CACHE.is_file() else {}


def sha256_from_cache(filename: str, title: str, use_addnet_hash: bool = False) -> str | None:
    entry = _read().get(title)
    if entry is None or Path(filename).stat().st_mtime > entry["mtime"]:
        return None
    return entry["sha256"]


def calculate_sha256(filename: str) -> str:
    digest = hashlib.sha256()
    with Path(filename).open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def sha256(filename: str, title: str, use_addnet_hash: bool = False) -> str | None:
    """Return the hash; None under ``--no-hashing`` unless it is known."""
    known = sha256_from_cache(filename, title)
    if known is not None or shared.cmd_opts.no_hashing:
        return known
    entries = _read()
    entries[title] = {"mtime": Path(filename).stat().st_mtime, "sha256": calculate_sha256(filename)}
    _CACHE.parent.mkdir(parents=True, exist_ok=True)
    _CACHE.write_text(json.dumps(entries, indent=1), encoding="utf-8")
    return entries[title]["sha256"]
