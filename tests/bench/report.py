"""The results as Markdown: a function of what is in the JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.bench.growth import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Line = dict[str, Any]

_EXPLANATION = """\
Contenders share weights and inputs and take turns in random order; a ratio is the median over the rounds of
styled / plain within a round. *plain* and *ours* are the stand-in's UNet, *diffusers* is its UNet
with its IP-Adapter / without, *port* computes keys and values at all 70 cross-attentions in every step. *ops a site*:
tensor operations that styling adds to a step, without views, per cross-attention that takes part; the others have no
hook. *apart*: how far the contenders' answers differ, as a share of what styling changes. *held*: bytes kept between
two steps, {held}."""
_HELD = {
    "cuda": "by the GPU's allocator beyond the plain UNet's",
    "cpu": "of all tensors that Python can reach, so the terms' float32 originals too",
}


def markdown(results: dict[str, Any]) -> str:
    """Return the tables of what was measured."""
    machine = results["machine"]
    lines = [f"# {machine['name']}", "", "Made by `python -m tests.bench`.", "", *_machine(machine)]
    lines += [_EXPLANATION.format(held=_HELD[machine["device"]])]
    if "cases" in results:
        lines += ["", "## A step", "", *_cases(results["cases"])]
    for quantity in QUANTITIES:
        if quantity in results:
            lines += ["", f"## Growth with {quantity}", "", *_growth(quantity, results[quantity])]
    if "preparation" in results:
        lines += ["", "## Before the first step", "", *_preparation(results["preparation"])]
    if "looking" in results:
        lines += ["", "## Looking for models", "", *_looking(results["looking"])]
    if "soak" in results:
        lines += ["", "## Many generations in a row", "", *_soak(results["soak"])]
    if "library" in results:
        lines += ["", "## The style library", "", *_library(results["library"])]
    return "\n".join(lines) + "\n"


def _machine(machine: Line) -> Iterator[str]:
    labels = ("cpu", "cores", "threads", "system", "python", "torch", "diffusers", "unet")
    yield from _table(labels, [[machine[label] for label in labels]])
    yield ""


def _cases(entries: Sequence[Line]) -> Iterator[str]:
    head = ["case", "pictures", "sites", "plain s", "ours s", "added ms", "ratio (quartiles)", "diffusers", "port"]
    head += ["ops a site", "ops a step: ours / diffusers / port", "held MiB", "apart", "rounds"]
    on_gpu = "waits" in entries[0]
    yield from _table(head + (["peak MiB", "waits a step"] if on_gpu else []), [_case(entry) for entry in entries])


def _case(entry: Line) -> list[Any]:
    port_ratio = f"{entry['port_ratio']:.3f}" if "port_ratio" in entry else ""
    counted = [entry["operations"], entry["diffusers_operations"], entry.get("port_operations", "–")]
    cells = [entry["name"], entry["pictures"], entry["sites"], *_times(entry), f"{entry['diffusers_ratio']:.3f}"]
    cells += [port_ratio, f"{entry['operations'] / entry['sites']:.1f}", " / ".join(map(str, counted))]
    cells += [_mebibytes(entry["held_bytes"]), f"{entry['apart']:.0e}", entry["rounds"]]
    return cells + ([_mebibytes(entry["peak_bytes"]), entry["waits"]] if "waits" in entry else [])


def _growth(quantity: str, entries: Sequence[Line]) -> Iterator[str]:
    head = [quantity, "case", "plain s", "ours s", "added ms", "ratio (quartiles)", "ops added to a step", "rounds"]
    rows = [[entry["value"], entry["case"], *_times(entry), entry["operations"], entry["rounds"]] for entry in entries]
    for label, key, shown in (
        ("held MiB", "held_bytes", _mebibytes),
        ("ops added to the first", "first_operations", str),
    ):
        if key in entries[0]:
            head.append(label)
            for row, entry in zip(rows, entries, strict=True):
                row.append(shown(entry[key]))
    yield from _table(head, rows)


def _times(entry: Line) -> list[str]:
    low, high = entry["quartiles"]
    seconds = [f"{entry[key]:.4f}" for key in ("plain_s", "ours_s")]
    return [*seconds, f"{1000 * entry['added_s']:.2f}", f"{entry['ratio']:.4f} ({low:.4f}–{high:.4f})"]


def _preparation(entries: Sequence[Line]) -> Iterator[str]:
    yield "From embeddings to keys and values: *cold* with nothing remembered, *warm* with the job before remembered."
    yield ""
    head = ["case", "cold ms", "warm ms", "read cold MiB", "read warm MiB", "file MiB", "rounds"]
    yield from _table(head, [_prepared(entry) for entry in entries])


def _prepared(entry: Line) -> list[Any]:
    times = [f"{1000 * entry[key]:.1f}" for key in ("cold_s", "warm_s")]
    sizes = [_mebibytes(entry[key]) for key in ("cold_bytes", "warm_bytes", "file_bytes")]
    return [entry["name"], *times, *sizes, entry["rounds"]]


def _looking(entries: Sequence[Line]) -> Iterator[str]:
    yield "Files that are no models of ours: *first* opens each, *again* finds them as they were. The page waits for neither."
    yield ""
    rows = [[entry[key] for key in ("name", "files", "tensors")] for entry in entries]
    times = [[f"{entry[key]:.3f}" for key in ("first_s", "again_s")] for entry in entries]
    head = ["files", "how many", "tensors in each", "first s", "again s"]
    yield from _table(head, [[*row, *seconds] for row, seconds in zip(rows, times, strict=True)])


def _soak(result: Line) -> Iterator[str]:
    first, last = result["first"], result["last"]
    yield f"{result['generations']} generations in the stand-in, references and presets in turn; growth over the second half."
    yield ""
    head = ["", "first", "last", "growth a generation"]
    resident = [_mebibytes(place["resident_bytes"]) for place in (first, last)]
    yield from _table(
        head,
        [
            ["memory of the process, MiB", *resident, f"{result['resident_slope_bytes'] / 2**20:.4f}"],
            ["tensors alive", first["tensors"], last["tensors"], f"{result['tensor_slope']:.3f}"],
            ["hooks on the UNet", first["hooks"], last["hooks"], f"at most {result['most_hooks']}"],
        ],
    )
    yield ""
    yield f"![Memory, hooks and tensors after each generation]({result['plot']})"


def _library(entries: Sequence[Line]) -> Iterator[str]:
    yield "In the stand-in, styles of one reference: *first* reads their files, *again* finds them as they were."
    yield ""
    times = [[f"{entry[key]:.3f}" for key in ("first_s", "again_s")] for entry in entries]
    rows = [[entry["name"], entry["styles"], *seconds] for entry, seconds in zip(entries, times, strict=True)]
    yield from _table(["look", "styles", "first s", "again s"], rows)


def _mebibytes(octets: int) -> str:
    return f"{octets / 2**20:.2f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    for cells in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(map(str, cells))} |"
