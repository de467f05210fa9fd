"""The preflight's facts come without loading anything."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib_instantstyle.webui.extension import extension
from tests.host.inprocess import InProcess, in_process


@pytest.fixture
def host(models_dir: Path) -> Iterator[InProcess]:
    host = in_process(models_dir)
    host.load("tiny-sdxl.safetensors")
    yield host
    host.reset_options()


def states(told: dict) -> dict[str, str]:
    return {check["name"]: check["state"] for check in told["checks"]}


def test_an_sdxl_model_is_ready(host: InProcess) -> None:
    told = extension().readiness.report()
    assert told["ready"]
    assert list(states(told).values()) == ["ready", "ready", "ready", "unknown", "optional"]


def test_another_model_is_named(host: InProcess) -> None:
    host.load("tiny-sd15.safetensors")
    told = extension().readiness.report()
    assert not told["ready"]
    assert "Stable Diffusion 1.x" in told["next"]


def test_without_a_model_nothing_is_loaded(host: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    from modules import sd_models

    monkeypatch.setattr(sd_models.model_data, "sd_model", None)
    monkeypatch.setattr(sd_models, "reload_model_weights", pytest.fail)
    monkeypatch.setattr(sd_models, "load_model", pytest.fail, raising=False)
    told = extension().readiness.report()
    assert states(told)["SDXL model"] == "unknown"
    assert told["ready"]


def test_a_replacement_unet_and_an_unknown_adapter(host: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    from modules import sd_unet

    assert "was not found" in extension().readiness.report("absent")["next"]
    monkeypatch.setattr(sd_unet, "current_unet", object())
    assert "Set SD Unet to None" in extension().readiness.report()["next"]


def test_it_is_cheap(host: InProcess) -> None:
    extension().readiness.report()
    begin = time.perf_counter()
    for _ in range(10):
        extension().readiness.report()
    assert (time.perf_counter() - begin) / 10 < 0.25
