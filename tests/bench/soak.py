"""Many generations in a row in the stand-in: what stays behind after each."""

from __future__ import annotations

import gc
import multiprocessing
import resource
import statistics
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import torch
from matplotlib.figure import Figure
from PIL import Image

from tests.bench.machine import live_tensors
from tests.host.inprocess import InProcess, in_process
from tests.live.client import encoded
from tests.support.counting import hooks
from tests.tiny import write_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

_PARTS = ("tiny-sdxl", "ip-adapter_sdxl", "tiny-bigG")
_STATUS = Path("/proc/self/statm")
_PRESETS = ("style", "style + layout", "all blocks")
_SETTLED = 0.5  # the share of the generations after which nothing should grow any more


@dataclass(frozen=True)
class Residue:
    """What is there after a generation.

    Attributes:
        resident_bytes: Memory of the process.
        hooks: On the UNet's modules.
        tensors: That Python can reach.
    """

    resident_bytes: int
    hooks: int
    tensors: int


def measure_soak(generations: int, plot: Path) -> dict[str, Any]:
    """Generate in a process of its own; write the plot and return the growth per generation once settled."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        residues = pool.submit(_generate, generations).result()
    _draw(residues, plot)
    first, last = residues[0], residues[-1]
    settled = residues[int(_SETTLED * len(residues)) :]
    return {
        "generations": generations,
        "plot": plot.name,
        "resident_slope_bytes": _slope([residue.resident_bytes for residue in settled]),
        "tensor_slope": _slope([residue.tensors for residue in settled]),
        "most_hooks": max(residue.hooks for residue in residues),
        "first": asdict(first),
        "last": asdict(last),
    }


def _generate(generations: int) -> list[Residue]:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        models = write_parts(Path(folder), _PARTS)
        host = in_process(models.root)
        host.load("tiny-sdxl.safetensors")
        pictures = [encoded(Image.open(path).convert("RGB")) for path in sorted(models.pictures.glob("*.png"))]
        return [_residue(host, pictures, number) for number in range(generations)]


def _residue(host: InProcess, pictures: Sequence[str], number: int) -> Residue:
    """Generate once, with pictures and presets in turn, and look around."""
    wish = {
        "enabled": True,
        "image": pictures[number % len(pictures)],
        "preset": _PRESETS[number % len(_PRESETS)],
        "content": "stripes",
    }
    processed = host.txt2img({"InstantStyle": [wish]}, seed=number)
    if "InstantStyle: " not in processed.infotexts[0]:
        raise RuntimeError(f"Generation {number} was not styled: {processed.comments}")
    del processed
    gc.collect()
    unet = host.shared.sd_model.model.diffusion_model
    resident = int(_STATUS.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    return Residue(resident, hooks(unet), len(live_tensors()))


def _slope(values: Sequence[float]) -> float:
    """Return the growth from one value to the next, by least squares."""
    return statistics.linear_regression(range(len(values)), values).slope if len(values) > 1 else 0.0


def _draw(residues: Sequence[Residue], path: Path) -> None:
    curves = {
        "memory of the process, MiB": [residue.resident_bytes / 2**20 for residue in residues],
        "hooks on the UNet": [residue.hooks for residue in residues],
        "tensors alive": [residue.tensors for residue in residues],
    }
    with mpl.rc_context({"font.size": 9}):
        figure = Figure(figsize=(7, 6), layout="constrained")
        for axes, (label, values) in zip(figure.subplots(len(curves), sharex=True), curves.items(), strict=True):
            axes.plot(range(1, len(values) + 1), values, linewidth=1)
            axes.set_ylabel(label)
            axes.set_ylim(0, 1.2 * max(values) or 1)
        axes.set_xlabel("generation")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=120)
