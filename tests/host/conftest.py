"""One models folder and one in-process stand-in for all tests here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.inprocess import InProcess, in_process
from tests.host.recorder import Recorder


@pytest.fixture(scope="session")
def probe_extension() -> Path:
    """An extension that notes every hook and callback in the package it imports."""
    return Path(__file__).resolve().parent / "probe"


@pytest.fixture(scope="session")
def _probed_host(models_dir: Path, probe_extension: Path) -> InProcess:
    host = in_process(models_dir, [probe_extension])
    host.load("tiny-sdxl.safetensors")
    return host


@pytest.fixture
def host(_probed_host: InProcess, probe_extension: Path) -> Iterator[InProcess]:
    """The stand-in with the probe extension, settings as after the start."""
    _probed_host.use_extensions(probe_extension)
    _probed_host.load("tiny-sdxl.safetensors")  # whichever test of a process comes first
    yield _probed_host
    _probed_host.reset_options()
    _probed_host.load("tiny-sdxl.safetensors")


@pytest.fixture
def recorder(host: InProcess) -> Iterator[Recorder]:
    """What the probe saw since the test began."""
    with Recorder.attached() as recorder:
        yield recorder
