"""Loaders of files that blame the file: what torch cannot read is moved out of the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from modules.flavour import flavour


def _wrap(module: Any, name: str) -> None:
    """Replace a loader; the original stays as ``<name>_origin``. Only paths that are texts are blamed."""
    if not hasattr(module, f"{name}_origin"):
        setattr(module, f"{name}_origin", getattr(module, name))
    original = getattr(module, f"{name}_origin")

    def load(*args: Any, **kwargs: Any) -> Any:
        try:
            return original(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  the host's own error takes its place
            told = [str(error)]
            for value in (*args, *kwargs.values()):
                if isinstance(value, str) and Path(value).exists():
                    Path(value).replace(f"{value}.corrupted")
                    told.append(f"File corrupted: {value}, moved to {value}.corrupted")
            raise ValueError("\n".join(told))  # noqa: B904  the host forgets the cause

    setattr(module, name, load)


def patch_all_basics() -> None:
    """Forge wraps both loaders. The others mean to, but wrap a method of the second that nobody calls."""
    _wrap(torch, "load")
    if flavour.blames_safetensors:
        _wrap(safetensors.torch, "load_file")
