"""The learning curves of all parts in one picture."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from pathlib import Path

PARTS = ("autoencoder-half", "autoencoder", "text", "vision", "unet", "adapter", "judge")


def draw_curves(folder: Path, picture: Path) -> None:
    """Draw the curves that training left in ``folder``: mean loss of 50 steps each, over steps."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    for axes, part in zip(figure.subplots(2, 4).flat, PARTS, strict=False):
        with (folder / f"{part}.csv").open(newline="", encoding="utf-8") as file:
            rows = {int(step): float(loss) for step, loss, _ in csv.reader(file)}  # a resumed run writes some twice
        axes.semilogy(*zip(*sorted(rows.items()), strict=True), linewidth=1)
        axes.set_title(part, fontsize=9)
        axes.tick_params(labelsize=7, which="both")
    figure.axes[-1].set_axis_off()
    figure.savefig(picture, dpi=90)
