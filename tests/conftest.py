"""Fixtures that several folders of tests share."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

# Small tensors gain nothing from threads and lose much where cores are shared. The variable is for threads that run
# jobs in this process; `torch.set_num_threads` holds for the one that calls it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import gradio
import torch

from lib_instantstyle.models.adapter import Adapter, open_adapter
from tests.host import start
from tests.support import files
from tests.tiny import OTHER_CHECKPOINTS, PARTS, write_parts

STAND_IN = "stand-in"
INNER_PASS = Path(__file__).parent / "host" / "inner_pass"

torch.set_num_threads(1)
if hasattr(gradio, "component_meta"):
    gradio.component_meta.create_or_modify_pyi = lambda *_: None  # as hosts on gradio 4: no files beside our modules


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--webui-url", help=f"address of a running WebUI, or '{STAND_IN}', for tests/live")
    parser.addoption("--flavour", default="a1111", help="the WebUI that the stand-in stands in for, in the whole run")
    parser.addoption("--method", default="Adapter", help="what carries the style of the requests in tests/live")
    parser.addoption("--unsaved", action="store_true", help="start the stand-in as anew: no setting saved, no hashing")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "each_host: what differs by host, so that test.sh runs it on every flavour")
    config.addinivalue_line("markers", 'by_adapter: about what an adapter does, so not with `--method "No adapter"`')
    config.addinivalue_line("markers", "flavours(*names): about these hosts only")
    os.environ["STAND_IN_FLAVOUR"] = config.getoption("--flavour")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Collect tests/live only where there is something alive to test, and of tests/host what is about this flavour."""
    if collection_path.name == "live":
        return None if config.getoption("--webui-url") else True
    if collection_path.parent.name == "host" and collection_path.name.startswith("test_"):
        return (collection_path.name == "test_flavours.py") == (config.getoption("--flavour") == "a1111") or None
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the miniature, whose file takes longest: no worker shall end alone with it."""
    flavour = config.getoption("--flavour")
    about = {item: item.get_closest_marker("flavours") for item in items}
    others = [item for item, marker in about.items() if marker and flavour not in marker.args]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]
    items.sort(key=lambda item: item.path.parent.name != "mini")


@pytest.fixture(scope="session")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Adapter:
    """A linear adapter for `tests.support.unets.SmallUNet`."""
    folder: Path = tmp_path_factory.mktemp("adapters")
    return open_adapter(files.save_safetensors(folder / "linear.safetensors", files.linear_adapter()))


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny models in a folder of this worker's own; ``TINY_MODELS`` may name one that has them already."""
    folder: Path = tmp_path_factory.mktemp("models")
    if ready := os.environ.get("TINY_MODELS"):
        return Path(shutil.copytree(ready, folder, copy_function=_linked, dirs_exist_ok=True))
    return write_parts(folder, PARTS | OTHER_CHECKPOINTS).root


def _linked(source: str, target: str) -> None:
    """Put one more name on a file that nobody changes, or copy it where that cannot be."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@pytest.fixture(scope="session")
def webui_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of the WebUI that ``--webui-url`` names, or of a stand-in started for the session."""
    given = request.config.getoption("--webui-url")
    if given and given != STAND_IN:
        yield given
        return
    unsaved = request.config.getoption("--unsaved")
    options = ["--api", "--extension", str(INNER_PASS), *(["--no-hashing"] if unsaved else [])]
    with start(request.getfixturevalue("models_dir"), *options, saved_settings=not unsaved) as host:
        yield host.url
