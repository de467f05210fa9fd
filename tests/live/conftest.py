"""Fixtures of the live suite, and what every test must leave behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.client import WebUI, encoded
from tests.tiny import pictures


@pytest.fixture(scope="session")
def webui(webui_url: str) -> WebUI:
    webui = WebUI(webui_url)
    webui.set_option("sd_model_checkpoint", "tiny-sdxl.safetensors")
    return webui


@pytest.fixture(scope="session")
def style(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A request that styles, by the method that ``--method`` names."""
    method = request.config.getoption("--method")
    return {"enabled": True, "image": encoded(pictures.stripes())} | ({"method": method} if method != "Adapter" else {})


@pytest.fixture(autouse=True)
def _by_adapter(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("by_adapter") and request.config.getoption("--method") == "No adapter":
        pytest.skip("it is about what an adapter does")


@pytest.fixture(scope="session")
def plain(webui: WebUI) -> list[bytes]:
    """The picture of a WebUI without a style."""
    return webui.txt2img().pictures


@pytest.fixture(autouse=True)
def _nothing_stays(webui: WebUI, plain: list[bytes]) -> Iterator[None]:
    """After each test the plain picture is bit-identical to the first one."""
    yield
    answer = webui.txt2img()
    assert "InstantStyle" not in answer.infotexts[0]
    assert answer.pictures == plain
