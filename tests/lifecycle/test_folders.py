"""Adapters and encoders are found wherever a user already has them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from lib_instantstyle.webui.extension import extension
from lib_instantstyle.webui.routes.api import Api
from tests.host.inprocess import InProcess, in_process
from tests.support import files


@pytest.fixture
def host(models_dir: Path):
    host = in_process(models_dir)
    yield host
    host.reset_options()


def names(entries: list) -> list[str]:
    return [entry.path.name for entry in entries]


def test_further_folders_come_from_the_settings(host: InProcess, tmp_path: Path) -> None:
    models = extension().models

    first, second = tmp_path / "first", tmp_path / "second" / "deeper"
    second.mkdir(parents=True)
    first.mkdir()
    tensors = files.linear_adapter(1280)
    files.save_safetensors(first / "mine.safetensors", tensors)
    files.save_safetensors(second / "other.safetensors", tensors)
    host.shared.opts.data["instantstyle_model_folders"] = f"{first}\n\n  {second.parent}  \n{tmp_path / 'absent'}"
    assert {"mine.safetensors", "other.safetensors", "ip-adapter_sdxl.safetensors"} <= set(
        names(models.look().adapters)
    )
    host.reset_options()
    assert "mine.safetensors" not in names(models.look().adapters)


def test_controlnets_own_files_count(host: InProcess, models_dir: Path) -> None:
    from modules import paths

    models = extension().models

    controlnet = Path(paths.extensions_dir) / "sd-webui-controlnet"
    encoders = controlnet / "annotator" / "downloads" / "clip_vision"
    encoders.mkdir(parents=True)
    (controlnet / "models").mkdir()
    try:
        files.save_safetensors(controlnet / "models" / "theirs.safetensors", files.linear_adapter(1280))
        torch.save(files.vision_tower().state_dict(), encoders / "clip_g.pth")
        torch.save(files.vision_tower().state_dict(), controlnet / "models" / "no-encoder-here.pth")
        assert "theirs.safetensors" in names(models.look().adapters)
        assert [name for name in names(models.look().encoders) if name.endswith(".pth")] == ["clip_g.pth"]
    finally:
        shutil.rmtree(controlnet)


def test_an_adapter_says_what_it_can_do(host: InProcess) -> None:
    told = next(entry for entry in Api(extension()).adapters() if entry["name"].startswith("ip-adapter_sdxl_vit-h"))
    assert told["description"].startswith("IP-Adapter for ViT-H, ")
    assert told["description"].endswith(": style and layout; no content removal")
    assert told["encoders"] == ["tiny-vit-h"]
