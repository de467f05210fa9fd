"""Which WebUI this is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib_instantstyle.webui.hosts.a1111 import A1111Host

if TYPE_CHECKING:
    from lib_instantstyle.webui.hosts.host import Host


def detect_host() -> Host:
    """Return the host that runs this extension. Others than AUTOMATIC1111's are refused call by call."""
    return A1111Host()
