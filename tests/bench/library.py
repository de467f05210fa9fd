"""What looking into the style library costs: names, the list's route and the page of cards, at first and again."""

from __future__ import annotations

import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from lib_instantstyle.library.saved_style import SavedStyle
from lib_instantstyle.library.style_file import encode
from lib_instantstyle.method.embeddings import Embeddings
from lib_instantstyle.models.adapter import Kind
from lib_instantstyle.models.towers import BIGG_WIDTH
from tests.host.doors import Api
from tests.host.inprocess import in_process

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.machine import Machine

STYLES = (100, 1000)
_COVER = 4096  # bytes, as a thumbnail has


def measure_library(machine: Machine, counts: tuple[int, ...] = STYLES) -> list[dict[str, Any]]:
    """Return the seconds of the first look and of the next, in the stand-in, for libraries of ``counts`` styles."""
    context = multiprocessing.get_context("spawn")
    lines = []
    for count in counts:
        with ProcessPoolExecutor(1, context) as pool:
            lines += pool.submit(_lines, machine, count).result()
    return lines


def _lines(machine: Machine, count: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        in_process(Path(folder))
        fill(Path(folder) / "InstantStyle" / "styles", count)
        return [{"name": name, "styles": count, **_twice(machine, look)} for name, look in _looks().items()]


def _looks() -> dict[str, Callable[[], object]]:
    """The ways to look. What one has read counts for the others too, so each begins with a library that knows nothing."""
    from modules import ui_extra_networks

    from lib_instantstyle.webui.extension import extension

    page = next(page for page in ui_extra_networks.extra_pages if page.name == "instantstyle")
    api = Api()
    return {
        "names": extension().library.names,
        "list": lambda: api.request("GET", "/instantstyle/styles"),
        "cards": lambda: page.create_html("txt2img"),
    }


def _twice(machine: Machine, look: Callable[[], object]) -> dict[str, float]:
    from lib_instantstyle.library.style_index import StyleIndex
    from lib_instantstyle.webui.extension import extension

    library = extension().library
    library._index = StyleIndex(library.folder)
    return {key: machine.seconds(look) for key in ("first_s", "again_s")}


def fill(folder: Path, count: int) -> None:
    """Write ``count`` styles of one reference each."""
    folder.mkdir(parents=True)
    generator = torch.Generator().manual_seed(14)
    for number in range(count):
        embeddings = Embeddings((torch.randn(1, BIGG_WIDTH, generator=generator),), torch.zeros(1, BIGG_WIDTH))
        settings = {"style_weight": 0.8, "content": "a cat, balloons"}
        style = SavedStyle(Kind.LINEAR, BIGG_WIDTH, embeddings, settings, bytes(_COVER))
        (folder / f"Style {number}.safetensors").write_bytes(encode(style))
