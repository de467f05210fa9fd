"""Files: natural order, templates, and many look-ups with few system calls."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from modules.paths_internal import script_path

Entry = tuple[str, float, float]  # name, modified, created


def natural_sort_key(text: str) -> list[Any]:
    return [int(part) if part.isdigit() else part.lower() for part in re.split(r"(\d+)", str(text))]


def listfiles(dirname: str) -> list[str]:
    paths = sorted(Path(dirname).iterdir(), key=lambda path: natural_sort_key(path.name))
    return [str(path) for path in paths if path.is_file() and not path.name.startswith(".")]


def walk_files(path: str, allowed_extensions: list[str] | None = None) -> list[str]:
    files = (file for file in Path(path).rglob("*") if file.is_file())
    return [str(f) for f in sorted(files) if allowed_extensions is None or f.suffix.lower() in allowed_extensions]


def html_path(filename: str) -> str:
    return str(Path(script_path) / "html" / filename)


def html(filename: str) -> str:
    """Return a template of the host's; an empty one if there is none."""
    try:
        return Path(html_path(filename)).read_text(encoding="utf-8")
    except OSError:
        return ""


class MassFileLister:
    """Answers for whole folders from one listing each; new files are seen after `reset`."""

    def __init__(self) -> None:
        self.cached_dirs: dict[str, tuple[dict[str, Entry], set[str]]] = {}  # by name, and the names in lower case

    def find(self, path: str) -> Entry | None:
        """Return the entry of ``path``; a name that differs in case only is asked from the system.

        Raises:
            FileNotFoundError: If its folder does not exist.
        """
        folder, name = os.path.split(path)
        if folder not in self.cached_dirs:
            stats = ((entry.name, entry.stat(follow_symlinks=False)) for entry in os.scandir(folder))
            entries = {name: (name, stat.st_mtime, stat.st_ctime) for name, stat in stats}
            self.cached_dirs[folder] = entries, {name.lower() for name in entries}
        known, lower = self.cached_dirs[folder]
        if name in known or name.lower() not in lower:
            return known.get(name)
        try:
            stat = Path(path).lstat()
        except OSError:
            return None
        return name, stat.st_mtime, stat.st_ctime

    def exists(self, path: str) -> bool:
        return self.find(path) is not None

    def mctime(self, path: str) -> tuple[float, float]:
        """Return when ``path`` was modified and created; zeros if it does not exist."""
        entry = self.find(path)
        return entry[1:] if entry else (0, 0)

    def reset(self) -> None:
        self.cached_dirs.clear()
