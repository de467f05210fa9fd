"""Fixtures that several folders of tests share."""

from pathlib import Path

import pytest

from lib_instantstyle.checkpoint import Adapter, open_adapter
from tests.support import files


@pytest.fixture(scope="session")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Adapter:
    """A linear adapter for `tests.support.unets.SmallUNet`."""
    folder: Path = tmp_path_factory.mktemp("adapters")
    return open_adapter(files.save_safetensors(folder / "linear.safetensors", files.linear_adapter()))
