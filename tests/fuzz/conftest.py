"""Some texts are read by the host first."""

from pathlib import Path

import pytest

from tests.host.inprocess import in_process


@pytest.fixture(scope="session", autouse=True)
def _host(models_dir: Path) -> None:
    in_process(models_dir)
