"""A labelled contact sheet: one row a reference, one column a way to use it."""

from __future__ import annotations

from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont

CELL = 160  # pixels
GAP = 10
HEADER = 26
FONT_SIZE = 15
_INK, _PAPER = (40, 40, 40), (250, 250, 250)


def contact_sheet(columns: list[str], captions: list[str], rows: list[list[Image.Image]]) -> Image.Image:
    """Draw ``rows`` of pictures below the labels ``columns``, each row under its own caption."""
    step = CELL + HEADER + GAP
    sheet = Image.new("RGB", (GAP + len(columns) * (CELL + GAP), HEADER + len(rows) * step), _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"), FONT_SIZE)
    for column, label in enumerate(columns):
        left = GAP + column * (CELL + GAP)
        draw.text((left, GAP // 2), label, fill=_INK, font=font)
        for row, pictures in enumerate(rows):
            top = HEADER + row * step
            sheet.paste(pictures[column].convert("RGB").resize((CELL, CELL), Image.LANCZOS), (left, top))
            if column:
                draw.text((left, top + CELL + 3), captions[row], fill=_INK, font=font)
    return sheet
