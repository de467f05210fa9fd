"""Which WebUI the extension runs in."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from lib_instantstyle.webui.hosts.a1111 import A1111Host
from lib_instantstyle.webui.hosts.forge import ForgeHost

if TYPE_CHECKING:
    from lib_instantstyle.webui.hosts.host import Host


def detect_host() -> Host:
    """Return the host for this process: that of the Forge family where its package is there."""
    return ForgeHost() if importlib.util.find_spec("modules_forge") else A1111Host()
