"""Trials: a reference in some style, and the seven shapes that it does not show, asked for in that style.

Everything goes through the stand-in WebUI and the unchanged extension, as a request of the API would. One process
holds one stand-in, so a `Laboratory` keeps its own processes.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from PIL import Image, ImageDraw

from tests.host.inprocess import InProcess, in_process
from tests.live.client import encoded
from tests.mini.assemble import NAME, read_weights
from tests.mini.drawing import picture
from tests.mini.judge import Judge, Verdict
from tests.mini.rates import Outcome, Rates
from tests.mini.world import FIGURES, LEVELS, SHAPES, Scenes, random_scenes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

SETTINGS = {
    "steps": 8,
    "width": 128,
    "height": 128,
    "sampler_name": "DPM++ 2M",
    "cfg_scale": 4.0,
    "batch_size": len(SHAPES) - 1,
}


@dataclass(frozen=True)
class Mode:
    """A way to use the product.

    Attributes:
        name: For the table.
        style: Request to the extension without pictures; None for none at all.
        prompt: Pattern with ``{shape}`` and ``{figure}``, another figure's colour than the reference's.
        extra: Roles of further pictures: ``images``, of another shape in the reference's style; ``layout_image``, in
            another style; ``ground``, in another style and with a mask that leaves it all but the middle.
        fields: Changes of the job's settings.
    """

    name: str
    style: dict[str, Any] | None = None
    prompt: str = "a {shape}"
    extra: tuple[str, ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)


def references(count: int, seed: int) -> Scenes:
    """Return ``count`` reference scenes; shapes take turns, so that each is there."""
    scenes = random_scenes(count, torch.Generator().manual_seed(seed))
    return scenes.with_factors(shape=torch.arange(count) % len(SHAPES))


class Bench:
    """One stand-in with the miniature loaded, and the judge."""

    def __init__(self, models: Path) -> None:
        self.host: InProcess = in_process(models)
        self.host.load(f"{NAME}.safetensors")
        self.judge = Judge()
        self.judge.load_state_dict(read_weights("judge"))

    def generate(self, prompts: Sequence[str], style: dict[str, Any] | None, **fields: Any) -> list[Image.Image]:
        """Make one picture a prompt."""
        request = {} if style is None else {"InstantStyle": [{"enabled": True, **style}]}
        processed = self.host.txt2img(request, **{**SETTINGS, "prompt": list(prompts), **fields})
        if style is not None and "InstantStyle: " not in processed.infotexts[0]:
            raise RuntimeError(f"The style did not act: {processed.comments}")
        return processed.images[processed.index_of_first_image :]

    def see(self, pictures: Sequence[Image.Image]) -> Verdict:
        """Let the judge read pictures."""
        tensors = [torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8) for image in pictures]
        stacked = torch.stack(
            [t.view(image.height, image.width, 3) for t, image in zip(tensors, pictures, strict=True)]
        )
        return self.judge.look(stacked.permute(0, 3, 1, 2).float() / 255)

    def run(self, mode: Mode, scenes: Scenes, row: int) -> list[Outcome]:
        """Ask for the seven other shapes in the style of reference ``row``."""
        targets = [shape for shape in range(len(SHAPES)) if shape != int(scenes.shape[row])]
        other = (int(scenes.figure[row]) + 3) % LEVELS["figure"]
        prompts = [_prompt(mode, shape, other) for shape in targets]
        style, sought = _request(mode, scenes, row)
        seen = self.see(self.generate(prompts, style, **{"seed": 1000 + 10 * row, **mode.fields}))
        return [_outcome(seen, index, shape, other, sought) for index, shape in enumerate(targets)]


def _prompt(mode: Mode, shape: int, figure: int) -> str:
    return mode.prompt.format(shape=SHAPES[shape], figure=list(FIGURES)[figure])


class _Sought(NamedTuple):
    """What of the references is looked for in the answer."""

    factors: dict[str, int]
    place: torch.Tensor


def _request(mode: Mode, scenes: Scenes, row: int) -> tuple[dict[str, Any] | None, _Sought]:
    """Return the request with its pictures, and what is looked for."""
    factors, place = {name: int(getattr(scenes, name)[row]) for name in LEVELS}, scenes.centre[row]
    if mode.style is None:
        return None, _Sought(factors, place)
    style = {"image": encoded(picture(scenes, row)), **mode.style}
    if "content" in style:
        style["content"] = style["content"].format(shape=SHAPES[int(scenes.shape[row])])
    other = (row + 1) % len(scenes)
    for role in mode.extra:
        if role == "images":
            style["images"] = [encoded(picture(_same_style(scenes, row), row))]
        elif role == "ground":
            style |= {"images": [encoded(picture(scenes, other))], "masks": [encoded(_middle())]}
            factors["ground"] = int(scenes.ground[other])
        else:
            style[role], place = encoded(picture(scenes, other)), scenes.centre[other]
    return style, _Sought(factors, place)


def _middle() -> Image.Image:
    """Return the mask of a disc that most shapes lie on."""
    width, height, radius = SETTINGS["width"], SETTINGS["height"], 40
    mask = Image.new("L", (width, height))
    box = [half + sign * radius for sign in (-1, 1) for half in (width // 2, height // 2)]
    ImageDraw.Draw(mask).ellipse(box, fill=255)
    return mask


def _same_style(scenes: Scenes, row: int) -> Scenes:
    """Return ``scenes`` with another shape elsewhere in ``row``, in the same style."""
    shifted = scenes.with_factors(shape=(scenes.shape + 3) % len(SHAPES), centre=-scenes.centre)
    return shifted.with_factors(phase=1 - scenes.phase)


def _outcome(seen: Verdict, index: int, target: int, other: int, sought: _Sought) -> Outcome:
    found = {name: int(values[index]) for name, values in seen.factors.items()}
    style = {name: found[name] == sought.factors[name] for name in LEVELS if name != "shape"}
    centres = (*sought.place.tolist(), *seen.centre[index].tolist())
    hit, leak = found["shape"] == target, found["shape"] == sought.factors["shape"]
    return Outcome(hit, leak, **style, prompted=found["figure"] == other, place=centres)


_bench: list[Bench] = []


def _open_bench(models: Path, prepare: Callable[[], None] | None) -> None:
    torch.set_num_threads(1)
    _bench.append(Bench(models))
    if prepare is not None:
        prepare()


def _run(mode: Mode, scenes: Scenes, row: int) -> list[Outcome]:
    return _bench[0].run(mode, scenes, row)


def _call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    return function(_bench[0], *arguments)


class Laboratory:
    """Runs trials in processes of its own."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def measure(self, mode: Mode, scenes: Scenes) -> Rates:
        """Try ``mode`` with every reference."""
        count = len(scenes)
        outcomes = self._pool.map(_run, [mode] * count, [scenes] * count, range(count))
        return Rates(tuple(outcome for several in outcomes for outcome in several))

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run ``function(bench, …)`` in one of the processes."""
        return self._pool.submit(_call, function, arguments).result()


@contextlib.contextmanager
def laboratory(models: Path, processes: int = 1, prepare: Callable[[], None] | None = None) -> Iterator[Laboratory]:
    """Open a `Laboratory` on the models folder ``models``; ``prepare`` runs in each process once it stands."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_open_bench, initargs=(models, prepare)) as pool:
        yield Laboratory(pool)
