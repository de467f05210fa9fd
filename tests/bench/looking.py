"""What looking for models costs: many files, at first and again."""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lib_instantstyle.models.model_files import ModelFiles
from lib_instantstyle.models.search import SearchFolders

if TYPE_CHECKING:
    from tests.bench.machine import Machine

_AGAIN = 5  # looks
_IN_A_FOLDER = 100  # files
_SHAPE, _BYTES = (32, 32), 2048  # of a tensor in half precision


class Shelf(NamedTuple):
    """A folder with files that are no models of ours, such as LoRAs."""

    name: str
    files: int
    tensors: int  # in each


SHELVES = (Shelf("SDXL LoRAs", 20, 2166), Shelf("small LoRAs", 500, 64), Shelf("small LoRAs", 5000, 64))


def measure_looking(machine: Machine, shelves: tuple[Shelf, ...] = SHELVES) -> list[dict[str, Any]]:
    """Return the seconds of the first look and of the next ones; the files are in the system's cache."""
    return [_line(machine, shelf) for shelf in shelves]


def _line(machine: Machine, shelf: Shelf) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        _fill(Path(folder), shelf)
        models = ModelFiles(lambda: SearchFolders([Path(folder)], [], [], Path(folder)))
        first = machine.seconds(models.look)
        again = statistics.median(machine.seconds(models.look) for _ in range(_AGAIN))
    return {**shelf._asdict(), "first_s": first, "again_s": again}


def _fill(folder: Path, shelf: Shelf) -> None:
    entry = {"dtype": "F16", "shape": _SHAPE}
    entries = {
        f"lora_unet_{number}.lora_down.weight": {**entry, "data_offsets": [number * _BYTES, (number + 1) * _BYTES]}
        for number in range(shelf.tensors)
    }
    header = json.dumps({"__metadata__": {"format": "pt"}, **entries}).encode()
    content = len(header).to_bytes(8, "little") + header
    for number in range(shelf.files):
        path = folder / str(number // _IN_A_FOLDER) / f"{number}.safetensors"
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as file:
            file.write(content)
            file.truncate(len(content) + shelf.tensors * _BYTES)  # tensors that need no room on the disk
