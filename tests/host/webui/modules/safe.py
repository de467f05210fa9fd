"""``torch.load`` as extensions find it in the host: a suspicious file is reported and reads as None."""

from __future__ import annotations

import re
import zipfile
from typing import Any

import torch

from modules import errors
from modules.shared_cmd_options import cmd_opts

unsafe_torch_load = torch.load
_MEMBER = re.compile(r"^([^/]+)/((data/\d+)|version|byteorder|\.data/serialization_id|(data\.pkl))$")


class _SuspiciousFileError(Exception):
    """The archive has a member that a checkpoint has no use for."""


def _check_members(filename: Any) -> None:
    if not zipfile.is_zipfile(filename):
        return
    with zipfile.ZipFile(filename) as archive:
        for name in archive.namelist():
            if not _MEMBER.match(name):
                raise _SuspiciousFileError(f"bad file inside {filename}: {name}")


def load(filename: Any, *args: Any, **kwargs: Any) -> Any:
    """Read tensors and plain containers; anything else is reported and None returned."""
    if cmd_opts.disable_safe_unpickle:
        return unsafe_torch_load(filename, *args, **kwargs)
    try:
        _check_members(filename)
        return unsafe_torch_load(filename, *args, **{**kwargs, "weights_only": True})
    except Exception:  # noqa: BLE001  the host never lets an unreadable file raise
        errors.report(f"Error verifying pickled file from {filename}; it is not going to be read", exc_info=True)
        return None


def install() -> None:
    """Replace ``torch.load``."""
    torch.load = load
