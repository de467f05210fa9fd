"""Extensions: the ones named on the command line, and those in the data folder."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from modules import errors
from modules.paths_internal import extensions_dir, script_path
from modules.shared_cmd_options import cmd_opts

_INSTALL_SECONDS = 600


@dataclass
class Extension:
    """One folder. Its canonical name is the folder's, lower-cased, whatever ``metadata.ini`` says."""

    name: str
    path: str
    enabled: bool = True
    is_builtin: bool = False
    metadata: configparser.ConfigParser = field(default_factory=configparser.ConfigParser)

    @property
    def canonical_name(self) -> str:
        return self.name.lower().strip()

    def list_files(self, subdir: str, extension: str) -> list[Path]:
        folder = Path(self.path) / subdir
        return sorted(folder.glob(f"*{extension}")) if folder.is_dir() else []

    def read_metadata(self) -> None:
        try:
            self.metadata.read(Path(self.path) / "metadata.ini", encoding="utf-8")
        except configparser.Error:
            errors.report(f"Error reading metadata.ini of {self.name}", exc_info=True)


extensions: list[Extension] = []
extension_paths: dict[str, Extension] = {}


def active() -> list[Extension]:
    return [extension for extension in extensions if extension.enabled]


def list_extensions() -> None:
    """Find the extensions again: at the start and on Reload UI."""
    from modules import shared

    extensions.clear()
    extension_paths.clear()
    own = Path(extensions_dir)
    folders = [*(path.resolve() for path in cmd_opts.extension), *(sorted(own.iterdir()) if own.is_dir() else [])]
    for folder in dict.fromkeys(folders):
        if not folder.is_dir():
            continue
        enabled = folder.name not in shared.opts.disabled_extensions and shared.opts.disable_all_extensions == "none"
        extension = Extension(folder.name, str(folder), enabled)
        extension.read_metadata()
        extensions.append(extension)
        extension_paths[extension.path] = extension


def run_installers() -> None:
    """Run every ``install.py`` in a process of its own; failure is reported."""
    paths = [script_path, os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    for extension in active():
        script = Path(extension.path) / "install.py"
        if not script.is_file():
            continue
        done = subprocess.run(
            [sys.executable, str(script)],
            env=environment,
            cwd=script_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=_INSTALL_SECONDS,
        )
        if done.stdout.strip():
            print(done.stdout.strip())
        if done.returncode:
            errors.report(f"Error running install.py for extension {extension.path}: {done.stderr}")
