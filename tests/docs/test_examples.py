"""Every example of the README and of docs/api.md, executed against a WebUI; shown answers have the shape of real ones."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from tests.docs import README, ROOT
from tests.docs.blocks import Block, blocks
from tests.live.client import WebUI, encoded
from tests.tiny import pictures

API = ROOT / "docs" / "api.md"
ADDRESS = "http://127.0.0.1:7860"
# On a CPU, a tiny model's picture of 64 pixels is enough.
SMALLER = {r"1024\b": "64", r"(steps\W{1,3})30\b": r"\g<1>2"}
SECONDS = 120


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the examples run: with the pictures that they name."""
    pictures.stripes().save(tmp_path / "reference.png")
    pictures.sunset().save(tmp_path / "second.png")
    pictures.dots().save(tmp_path / "layout.png")
    mask = Image.new("L", (64, 64))
    mask.paste(255, (0, 0, 32, 64))
    mask.save(tmp_path / "left-half.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", [README, API], ids=lambda page: page.stem)
def test_the_examples_work(page: Path, webui_url: str, folder: Path) -> None:
    WebUI(webui_url).set_option("sd_model_checkpoint", "tiny-sdxl.safetensors")
    runner = Runner(webui_url, folder)
    for block in blocks(page):
        runner.run(block)
    runner.finish()
    assert runner.count > 0


def test_every_route_has_its_example() -> None:
    source = (ROOT / "lib_instantstyle" / "webui" / "routes" / "api.py").read_text(encoding="utf-8")
    routes = re.findall(r'\("(GET|POST|DELETE)", "([\w/]+)', source)
    shown = [tuple(block.text.split()[:2]) for block in blocks(API) if block.language == "http"]
    for method, path in routes:
        assert any(method == m and p.startswith(f"/instantstyle/{path}") for m, p in shown), (method, path)


class Runner:
    """Executes blocks in order; Python blocks share their names."""

    def __init__(self, url: str, folder: Path) -> None:
        self.count = 0
        self._url = url.rstrip("/")
        self._folder = folder
        self._names: dict[str, Any] = {}
        self._answer: requests.Response | None = None

    def run(self, block: Block) -> None:
        """Execute ``block``, or compare it with the answer to the one before."""
        run: Callable[[Block], None] | None = getattr(self, f"_{block.language}", None)
        if run is None or "demo.sh" in block.text:
            return
        if block.language != "json":
            self.finish()
        try:
            run(block._replace(text=self._here(block.text)))
        except Exception as error:
            raise AssertionError(f"{block.place}: {type(error).__name__}: {error}") from error
        self.count += 1

    def finish(self) -> None:
        """Make sure that the last request was answered well, if no answer is shown."""
        if self._answer is not None:
            self._answer.raise_for_status()
            self._answer = None

    def _here(self, text: str) -> str:
        """Return ``text`` for the WebUI of this test."""
        host, _, port = self._url.rpartition("//")[2].partition(":")
        text = text.replace(ADDRESS, self._url).replace('host="127.0.0.1", port=7860', f'host="{host}", port={port}')
        for pattern, replacement in SMALLER.items():
            text = re.sub(pattern, replacement, text)
        return text

    def _python(self, block: Block) -> None:
        exec(compile(block.text, block.place, "exec"), self._names)

    def _bash(self, block: Block) -> None:
        subprocess.run(["bash", "-euc", block.text], cwd=self._folder, check=True, timeout=SECONDS)

    def _http(self, block: Block) -> None:
        head, _, body = block.text.partition("\n\n")
        method, path = head.split()
        sent = json.loads(body.replace("<base64>", encoded(pictures.stripes()))) if body.strip() else None
        self._answer = requests.request(method, self._url + path, json=sent, timeout=SECONDS)
        self._answer.json()

    def _json(self, block: Block) -> None:
        """An answer, if a request stands before it, or else a request for a picture."""
        shown = json.loads(block.text)
        if self._answer is None:
            payload = json.loads(block.text.replace("<base64>", encoded(pictures.stripes())))
            requests.post(f"{self._url}/sdapi/v1/txt2img", json=payload, timeout=SECONDS).raise_for_status()
            return
        assert (self._answer.status_code == 200) == ("detail" not in shown), self._answer.text
        _compare(shown, self._answer.json(), "answer")
        self._answer = None


def _compare(shown: Any, real: Any, where: str) -> None:
    """Make sure that what is shown has the shape of what came; errors have its words too."""
    if isinstance(shown, dict):
        assert isinstance(real, dict), where
        for key in shown.keys() - {"…"}:
            assert key in real, f"{where} has no {key}"
            _compare(shown[key], real[key], f"{where}.{key}")
        assert "…" in shown or shown.keys() == real.keys(), f"{where} has {sorted(real)}"
    elif isinstance(shown, list):
        assert isinstance(real, list), where
        for entry in real if shown else []:
            _compare(shown[0], entry, f"{where}[]")
    elif shown is not None and real is not None:
        number = (int, float) if isinstance(shown, float) else type(shown)
        assert isinstance(real, number), f"{where} is {real!r}"
        if where == "answer.detail":
            assert real.startswith(shown.partition("…")[0]), real
