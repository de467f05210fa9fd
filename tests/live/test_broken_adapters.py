"""Broken adapter files in the WebUI's own models folder: refused with the reason, and never by accident used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.live.client import WebUI
from tests.tiny import broken

REASONS = {
    broken.truncated: ["truncated.safetensors", "Download"],
    broken.with_nan: ["with-nan.safetensors", "NaN", "69"],
    broken.without_a_matrix: ["without-a-matrix.safetensors", "incomplete", "3"],
    broken.for_sd15: ["Stable Diffusion 1.5", "768", "2048"],
    broken.for_refiner: ["SDXL refiner", "1280", "2048"],
    broken.for_other_depths: ["for-other-depths.safetensors", "sites", "70"],
    broken.face_id: ["FaceID"],
    broken.text_file: ["text-file.safetensors", "cannot be read"],
}


@pytest.fixture(scope="module")
def folder(webui: WebUI) -> Path:
    """Where the WebUI looks for adapters: it must run on this machine."""
    folders = [Path(entry["folder"]) for entry in webui.get("/instantstyle/adapters")]
    return next(folder for folder in folders if folder.name == "InstantStyle")


@pytest.mark.parametrize("write", broken.ALL, ids=lambda write: write.__name__)
def test_a_broken_adapter_is_refused(
    webui: WebUI, style: dict[str, Any], folder: Path, write: Callable[[Path], Path]
) -> None:
    path = write(folder)
    try:
        answer = webui.txt2img(style | {"adapter": path.name})
    finally:
        path.unlink()
    assert answer.status == 422, answer.body
    assert all(word in answer.body["detail"] for word in REASONS[write]), answer.body["detail"]


def test_an_unreadable_file_does_not_hide_the_others(webui: WebUI, style: dict[str, Any], folder: Path) -> None:
    before = webui.get("/instantstyle/adapters")
    pictures = webui.txt2img(style).pictures
    paths = [broken.truncated(folder), broken.face_id(folder), broken.for_sd15(folder), broken.text_file(folder)]
    try:
        assert webui.get("/instantstyle/adapters") == before
        assert webui.txt2img(style).pictures == pictures
    finally:
        for path in paths:
            path.unlink()


def test_an_adapter_is_found_as_soon_as_it_is_there(webui: WebUI, style: dict[str, Any], folder: Path) -> None:
    copy = folder / "renamed by its user.safetensors"
    copy.hardlink_to(folder / "ip-adapter_sdxl.safetensors")
    try:
        assert copy.name in [entry["name"] for entry in webui.get("/instantstyle/adapters")]
        assert webui.txt2img(style | {"adapter": copy.name}).pictures == webui.txt2img(style).pictures
    finally:
        copy.unlink()
    assert webui.txt2img(style | {"adapter": copy.name}).status == 422
