"""The README's first picture: two rows of the contact sheet, its most telling columns. `python -m tests.demo.strip`."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tests.demo.__main__ import WISHES
from tests.demo.sheet import CELL, GAP, HEADER, contact_sheet

IMAGES = Path(__file__).parents[2] / "docs" / "images"
COLUMNS = {"reference": 0, "prompt alone": 1, "plain IP-Adapter": 2, "style − content": 5, "style + layout": 6}
ROWS = (3, 4)  # where the plain adapter draws the reference's shape


def main() -> None:
    sheet = Image.open(IMAGES / "miniature.png").convert("RGB")
    rows = [[_cell(sheet, row, column) for column in COLUMNS.values()] for row in ROWS]
    contact_sheet(list(COLUMNS), [f"“{WISHES[row].prompt}”" for row in ROWS], rows).save(IMAGES / "strip.png")


def _cell(sheet: Image.Image, row: int, column: int) -> Image.Image:
    left, top = GAP + column * (CELL + GAP), HEADER + row * (CELL + HEADER + GAP)
    return sheet.crop((left, top, left + CELL, top + CELL))


if __name__ == "__main__":
    main()
