"""The tab Regions: where each reference acts, painted or uploaded."""

from __future__ import annotations

from typing import Any

import gradio as gr
from PIL import Image, ImageFilter

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.combination import MAX_PICTURES
from lib_instantstyle.pictures.decoding import BLACK, load_picture
from lib_instantstyle.pictures.formats import MIN_SIDE
from lib_instantstyle.pictures.regions import make_mask
from lib_instantstyle.webui.page.fields import Fields, showing_errors
from lib_instantstyle.webui.page.pictures import Canvas, with_mask
from lib_instantstyle.webui.page.section import Section

_CANVAS = 768  # pixels, the longer side of an empty canvas
_GREY = (96, 96, 97)  # an empty canvas: not quite grey, so that no uniform grey mask is taken for one
_HELP = (
    "<p>Paint where a reference acts, or upload a black and white mask and paint nothing. "
    "References without a mask act in the rest of the picture.</p>"
)


class RegionsTab(Section):
    """The tab Regions; an empty canvas takes the size set in ``tab``, "txt2img" or "img2img"."""

    def __init__(self, fields: Fields, tab: str) -> None:
        super().__init__(fields)
        gr.HTML(_HELP, elem_classes="instantstyle-advice")
        self._size = [gr.Number(512, visible=False), gr.Number(512, visible=False)]
        self._tab = tab
        with gr.Row():
            numbers = [str(number) for number in range(1, MAX_PICTURES + 1)]
            self._number = fields.extra(gr.Dropdown, "region_number", numbers, value="1", label="Reference")
            self._soft = fields.extra(
                gr.Slider, "region_soft", 0, 30, 0, step=1, label="Soft edge", info="In percent of the shorter side."
            )
        self._canvas = fields.extra(
            Canvas, "region_canvas", label="Paint the region", brush_color="#ffffff", height=360
        )
        with gr.Row():
            self._blank = fields.extra(gr.Button, "region_blank", "Empty canvas")
            self._set = fields.extra(gr.Button, "region_set", "Use for this reference", variant="primary")
            self._clear = fields.extra(gr.Button, "region_clear", "Remove its mask")
        fields.add("masks")

    def connect(self) -> None:
        """Connect the canvas and its buttons to the masks."""
        fields = self._fields
        masks = fields["masks"]
        # Emptied first: the page keeps the strokes when a picture replaces another, and drops them with no picture.
        emptied = self._blank.click(lambda: None, outputs=[self._canvas], show_progress=False)
        emptied.then(_blank, inputs=self._size, outputs=[self._canvas], _js=f"() => instantstyleSize('{self._tab}')")
        painted, quiet = [self._canvas, self._number, self._soft, masks], {"outputs": [masks], "show_progress": False}
        self._set.click(showing_errors(_set), inputs=painted, **quiet)
        self._clear.click(_cleared, inputs=[self._number, masks], **quiet)


def _blank(width: float, height: float) -> Image.Image:
    scale = _CANVAS / max(width, height)
    return Image.new("RGB", (max(MIN_SIDE, round(width * scale)), max(MIN_SIDE, round(height * scale))), _GREY)


def _cleared(number: str, known: list[Any]) -> list[Any]:
    return with_mask(known, int(number), None)


def _set(canvas: dict[str, Any], number: str, soft: float, known: list[Any]) -> list[Any]:
    mask = _drawn(canvas, number).convert("L")
    if soft:
        mask = mask.filter(ImageFilter.GaussianBlur(min(mask.size) * soft / 200))
    make_mask(mask)  # refuses a mask that could never act
    return with_mask(known, int(number), mask)


def _drawn(canvas: dict[str, Any], number: str) -> Image.Image:
    """Return the strokes, or the picture under them where there are none."""
    painted = load_picture(canvas["mask"], name="painting", background=BLACK)
    if painted is not None and painted.image.getbbox():
        return painted.image
    picture = load_picture(canvas["image"], name="mask", background=BLACK)
    if picture is None:
        raise ParameterError("There is nothing to make a mask of. Begin with an empty canvas, or upload a mask.")
    if picture.image.getcolors(1) == [(picture.image.width * picture.image.height, _GREY)]:
        raise ParameterError(
            f"Nothing is painted yet. Paint where reference {number} acts, or upload a black and white mask."
        )
    return picture.image
