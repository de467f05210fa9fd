"""Putting the stand-in's ``modules`` on the path, as the real host does with its own."""

from __future__ import annotations

import sys
from pathlib import Path

HOST_ROOT = Path(__file__).resolve().parent / "webui"
EXTENSION_ROOT = Path(__file__).resolve().parents[2]


def prepare_path() -> None:
    """Make the stand-in importable, and the extension not: it is, only while its script is being loaded."""
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != EXTENSION_ROOT]
    sys.path.insert(0, str(HOST_ROOT))


def main() -> None:
    """Start the server with the command line's arguments and this repository as an extension."""
    prepare_path()
    if "--bare" in sys.argv:
        sys.argv.remove("--bare")
    else:
        sys.argv += ["--extension", str(EXTENSION_ROOT)]
    import webui

    webui.serve()
