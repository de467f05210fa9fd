"""Executing the files of extensions."""

import argparse
import importlib.util
from pathlib import Path
from types import ModuleType

from modules import errors


def load_module(path: str | Path) -> ModuleType:
    """Execute ``path`` as a module that is named after the file and that nobody can import."""
    spec = importlib.util.spec_from_file_location(Path(path).name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def preload_extension(folder: str | Path, parser: argparse.ArgumentParser) -> None:
    """Let an extension's ``preload.py`` add its options."""
    script = Path(folder) / "preload.py"
    if not script.is_file():
        return
    try:
        module = load_module(script)
        if hasattr(module, "preload"):
            module.preload(parser)
    except Exception:  # noqa: BLE001  an extension must not keep the host from starting
        errors.report(f"Error running preload() for {script}", exc_info=True)
