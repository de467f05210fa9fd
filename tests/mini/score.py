"""What each way to use the product does, counted: `python -m tests.mini.score`."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.mini.assemble import assemble
from tests.mini.trials import SETTINGS, Mode, Rates, laboratory, references

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = Path(__file__).with_name("scores.md")
REFERENCES = 58  # times seven pictures
SEED = 2024
_CONTENT = "a {shape}"
_STYLE = {"preset": "style"}
_ALL = {"preset": "all blocks"}
_BOTH = {"preset": "style + layout"}
_SWAP = {"method": "No adapter"}
_COLOUR = "a {figure} {shape}"


def _without_content(base: dict[str, object], strength: float = 1.0, **others: object) -> dict[str, object]:
    return {**base, "content": _CONTENT, "content_strength": strength, **others}


MODES = (
    Mode("no adapter"),
    Mode("all blocks", _ALL),
    Mode("all blocks, weight 0.5", {**_ALL, "style_weight": 0.5, "layout_weight": 0.5}),
    Mode("all blocks − content × 0.5", _without_content(_ALL, 0.5)),
    Mode("all blocks − content × 0.75", _without_content(_ALL, 0.75)),
    Mode("all blocks − content", _without_content(_ALL)),
    Mode("all blocks, content projected out", _without_content(_ALL, removal="Project out")),
    Mode("all blocks, content masked", _without_content(_ALL, removal="Mask")),
    Mode("strong style", {"preset": "strong style"}),
    Mode("strong style − content", _without_content({"preset": "strong style"})),
    Mode("style", _STYLE),
    Mode("style − content × 0.5", _without_content(_STYLE, 0.5)),
    Mode("style − content × 0.75", _without_content(_STYLE, 0.75)),
    Mode("style − content", _without_content(_STYLE)),
    Mode("style, content projected out", _without_content(_STYLE, removal="Project out")),
    Mode("style, content masked", _without_content(_STYLE, removal="Mask")),
    Mode("style, weight 0.5", {**_STYLE, "style_weight": 0.5}),
    Mode("layout", {"preset": "layout"}),
    Mode("style + layout", _BOTH),
    Mode("style + layout of another picture", _BOTH, extra=("layout_image",)),
    Mode("style, anti-layout 2", {**_STYLE, "anti_layout": 2.0}),
    Mode("style, another colour in the prompt", _STYLE, prompt=_COLOUR),
    Mode("the same, prompt colours kept", {**_STYLE, "prompt_colours": 1.0}, prompt=_COLOUR),
    Mode("style until 0.5", {**_STYLE, "end": 0.5}),
    Mode("style from 0.5", {**_STYLE, "start": 0.5}),
    Mode("style, fade in", {**_STYLE, "curve": "Fade in"}),
    Mode("style, fade out", {**_STYLE, "curve": "Fade out"}),
    Mode("style, two references, mean", {**_STYLE, "combine": "Mean"}, extra=("images",)),
    Mode("style, two references, normalised mean", {**_STYLE, "combine": "Normalised mean"}, extra=("images",)),
    Mode("style, two references, concatenate", {**_STYLE, "combine": "Concatenate"}, extra=("images",)),
    Mode("style, two references, add", {**_STYLE, "combine": "Add", "style_weight": 0.5}, extra=("images",)),
    Mode("style, ground from another picture, by region", _STYLE, prompt="a {shape} , center", extra=("ground",)),
    Mode("all blocks, two references, mean", {**_ALL, "combine": "Mean"}, extra=("images",)),
    Mode("swap", _SWAP),
    Mode("swap, weight 0.5", {**_SWAP, "self_weight": 0.5}),
    Mode("swap, push 1", {**_SWAP, "push": 1.0}),
    Mode("swap, calibrated", {**_SWAP, "calibration": 1.0}),
    Mode("swap, read anew every 2", {**_SWAP, "every": 2}),
    Mode("swap until 0.5", {**_SWAP, "end": 0.5}),
    Mode("swap, two references, mean", {**_SWAP, "combine": "Mean"}, extra=("images",)),
    Mode("swap, another colour in the prompt", _SWAP, prompt=_COLOUR),
    Mode("swap texture, another colour in the prompt", {**_SWAP, "reach": "Texture"}, prompt=_COLOUR),
    Mode("swap texture", {**_SWAP, "reach": "Texture"}),
    Mode("share", {**_SWAP, "reading": "Share"}),
    Mode("share, push 0", {**_SWAP, "reading": "Share", "push": 0.0}),
    Mode("block AdaIN", {**_SWAP, "self_weight": 0.0, "block_adain": 1.0}),
    Mode("style and swap", {**_STYLE, "method": "Both"}),
    Mode("style and swap, calibrated", {**_STYLE, "method": "Both", "calibration": 1.0}),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mini.score", description=__doc__)
    parser.add_argument("--references", type=int, default=REFERENCES, help=f"seven pictures each ({REFERENCES})")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the references ({SEED})")
    parser.add_argument("--processes", type=int, default=2, help="stand-ins side by side (2)")
    parser.add_argument("--only", nargs="+", metavar="MODE", help="names of modes")
    parser.add_argument("--write", action="store_true", help=f"write the table to {TABLE.name} beside this file")
    arguments = parser.parse_args()
    modes = [mode for mode in MODES if not arguments.only or mode.name in arguments.only]
    scenes = references(arguments.references, arguments.seed)
    lines = list(header(arguments.seed))
    with (
        tempfile.TemporaryDirectory() as folder,
        laboratory(assemble(Path(folder)).root, arguments.processes) as lab,
    ):
        for mode in modes:
            begun = time.monotonic()
            lines.append(line(mode, lab.measure(mode, scenes)))
            print(lines[-1], f" {time.monotonic() - begun:.0f} s", flush=True)
    if arguments.write:
        TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def header(seed: int) -> Iterator[str]:
    """Yield the lines above the figures."""
    yield "# Scores of the miniature\n"
    yield f"Made by `python -m tests.mini.score --write` (seed {seed}), through the stand-in WebUI and the extension as users"
    yield "have it: the prompt “a SHAPE” with each shape that the reference does not show,"
    yield f"{SETTINGS['steps']} steps {SETTINGS['sampler_name']}, CFG {SETTINGS['cfg_scale']:g}. Percentages of *n* pictures.\n"
    yield "*Target*: the prompted shape was drawn. *Leak*: the reference's shape was drawn instead, with the 95 % interval."
    yield "The next four: the reference's colour of the figure (chance 12.5), colour of the ground (12.5), texture (17), outline"
    yield "(50). *Prompt's colour*: the figure has the colour that the prompt names. *Place*: correlation of where the shape lies"
    yield "with where the reference's lies. *By region*: the figure is sought in one reference, the ground in the other.\n"
    yield "| mode | n | target | leak | figure | ground | texture | outline | prompt's colour | place |"
    yield "|---|---|---|---|---|---|---|---|---|---|"


def line(mode: Mode, rates: Rates) -> str:
    """Return the table's line of one mode."""
    low, high = (100 * bound for bound in rates.bounds("leak"))
    shares = {name: 100 * rates.share(name) for name in ("figure", "ground", "texture", "outline")}
    prompted = f"{100 * rates.share('prompted'):.0f}" if "{figure}" in mode.prompt else ""
    cells = [mode.name, len(rates), f"{100 * rates.share('target'):.1f}"]
    cells += [f"{100 * rates.share('leak'):.1f} ({low:.1f}–{high:.1f})", *(f"{share:.0f}" for share in shares.values())]
    return "| " + " | ".join(map(str, [*cells, prompted, f"{rates.place:.2f}"])) + " |"


if __name__ == "__main__":
    main()
