"""A labelled contact sheet: one row a reference, one column a way to use it."""

from __future__ import annotations

from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont

CELL = 192  # pixels
GAP = 12
HEADER = 28
FONT_SIZE = 15
_INK, _PAPER = (40, 40, 40), (250, 250, 250)


def contact_sheet(columns: list[str], rows: list[list[Image.Image]]) -> Image.Image:
    """Draw ``rows`` of pictures below the labels ``columns``."""
    width = GAP + len(columns) * (CELL + GAP)
    height = HEADER + GAP + len(rows) * (CELL + GAP)
    sheet = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"), FONT_SIZE)
    for column, label in enumerate(columns):
        left = GAP + column * (CELL + GAP)
        draw.text((left, GAP - 2), label, fill=_INK, font=font)
        for row, pictures in enumerate(rows):
            sheet.paste(_fitted(pictures[column]), (left, HEADER + GAP + row * (CELL + GAP)))
    return sheet


def _fitted(picture: Image.Image) -> Image.Image:
    """Crop to the centre square, as the encoder does, and scale to the cell."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side)).resize((CELL, CELL), Image.LANCZOS).convert("RGB")
