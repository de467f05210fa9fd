"""What ``install.py`` of an extension may import from the host."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
import sys


def is_installed(package: str) -> bool:
    """Whether there is a distribution, or a module, of that name."""
    try:
        importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return importlib.util.find_spec(package) is not None
    return True


def run(command: list[str], desc: str | None = None, errdesc: str | None = None) -> str:
    """Run a command and return what it printed.

    Raises:
        RuntimeError: If it fails.
    """
    if desc:
        print(desc)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{errdesc or 'Error running command'}: {' '.join(command)}\n{done.stderr}")
    return done.stdout


def run_pip(command: str, desc: str | None = None) -> str:
    """Run pip with ``command``."""
    arguments = [sys.executable, "-m", "pip", *command.split(), "--prefer-binary"]
    return run(arguments, desc=f"Installing {desc}", errdesc=f"Couldn't install {desc}")
