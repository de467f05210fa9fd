"""The image encoder: when it is loaded, how long it stays in memory, and what happens when there is no room."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from lib_instantstyle.models import vision_tower
from lib_instantstyle.models.tensor_file import TensorFile
from lib_instantstyle.models.vision_tower import VisionTower
from lib_instantstyle.webui.extension import extension
from tests.lifecycle.conftest import Studio
from tests.live.client import encoded
from tests.tiny import pictures


@pytest.fixture(autouse=True)
def no_tower(studio: Studio) -> Iterator[None]:
    """Begin and end without a tower, and keep no embedding in between."""
    studio.forget()
    studio.host.shared.opts.data["instantstyle_cache_megabytes"] = 0
    yield
    extension().encoders.release()


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was loaded."""
    seen, load = [], vision_tower._load_model

    def counted(file: Any) -> Any:
        seen.append(file)
        return load(file)

    monkeypatch.setattr(vision_tower, "_load_model", counted)
    return seen


def keep_for(studio: Studio, minutes: float) -> None:
    studio.host.shared.opts.data["instantstyle_encoder_minutes"] = minutes


def test_it_stays_for_the_next_new_picture(studio: Studio, loads: list[Any]) -> None:
    keep_for(studio, 1)
    first = studio.styled()
    assert extension().encoders.holds_tower
    assert studio.styled({"image": encoded(pictures.dots())}) != first
    assert studio.styled() == first
    assert len(loads) == 1


def test_it_leaves_at_once_where_nothing_is_to_stay(studio: Studio, loads: list[Any]) -> None:
    keep_for(studio, 0)
    first = studio.styled()
    assert not extension().encoders.holds_tower
    assert studio.styled() == first
    assert len(loads) == 2


def test_it_leaves_after_its_time(studio: Studio) -> None:
    keep_for(studio, 0.001)
    studio.styled()
    deadline = time.monotonic() + 10
    while extension().encoders.holds_tower and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not extension().encoders.holds_tower


def test_another_adapter_loads_another_tower(studio: Studio, loads: list[Any]) -> None:
    keep_for(studio, 1)
    studio.styled()
    studio.styled({"adapter": "ip-adapter_sdxl_vit-h"})
    assert len({file.path for file in loads}) == 2


def test_without_room_on_the_device_the_cpu_looks(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    expected = studio.styled()
    extension().encoders.release()
    encode, refused = VisionTower.encode, []

    def full_at_first(tower: VisionTower, *arguments: Any) -> torch.Tensor:
        if not refused:
            refused.append(tower)
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return encode(tower, *arguments)

    monkeypatch.setattr(VisionTower, "encode", full_at_first)
    with caplog.at_level(logging.WARNING, logger="instantstyle"):
        assert studio.styled() == expected
    assert "encoding on the CPU" in caplog.text


def test_an_error_while_looking_leaves_no_tower_behind(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: Any) -> None:
        raise ZeroDivisionError

    keep_for(studio, 1)
    with monkeypatch.context() as patch:
        patch.setattr(VisionTower, "encode", broken)
        with pytest.raises(ZeroDivisionError):
            studio.styled()
    assert not extension().encoders.holds_tower
    studio.styled()


def test_a_repeated_job_reads_neither_adapter_nor_encoder(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    studio.host.shared.opts.data["instantstyle_cache_megabytes"] = 64
    first = studio.styled({"content": "a cat"})

    def unexpected(*_arguments: Any) -> None:
        raise AssertionError("A file was read.")

    monkeypatch.setattr(TensorFile, "stream", unexpected)
    monkeypatch.setattr(VisionTower, "__init__", unexpected)
    assert studio.styled({"content": "a cat"}) == first
    assert studio.styled({"content": "a cat", "style_weight": 0.5, "curve": "Fade in"}) != first
