"""The tab Regions: where each reference acts, painted or uploaded."""

from __future__ import annotations

from typing import Any

import gradio as gr
from PIL import Image, ImageFilter

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.combination import MAX_PICTURES
from lib_instantstyle.pictures.decoding import BLACK, load_picture
from lib_instantstyle.pictures.regions import make_mask
from lib_instantstyle.webui.page.compat import js
from lib_instantstyle.webui.page.fields import Fields, showing_errors
from lib_instantstyle.webui.page.pictures import with_mask
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.page.topics import Topic

_HELP = (
    "<p>Paint where a reference acts, or upload a black and white mask and paint nothing. "
    "References without a mask act in the rest of the picture.</p>"
)
# The page's script paints on it. Gradio's own canvases differ by version, and one needs WebGL.
_CANVAS = (
    "<div class='instantstyle-canvas'><div><label><span>Brush size</span>"
    "<input type='range' min='1' max='40' value='10' data-brush></label>"
    "<label><input type='checkbox' data-eraser><span>Eraser</span></label>"
    "<button type='button' data-undo>Undo</button>"
    "<label><span>Upload a mask</span><input type='file' accept='image/*'></label></div>"
    "<p></p><canvas width='0' height='0'></canvas></div>"
)


class RegionsTab(Section):
    """The tab Regions; an empty canvas takes the size set in ``tab``, "txt2img" or "img2img"."""

    def __init__(self, fields: Fields, tab: str) -> None:
        super().__init__(fields)
        gr.HTML(_HELP, elem_classes="instantstyle-advice")
        self._tab = tab
        with gr.Row():
            numbers = [str(number) for number in range(1, MAX_PICTURES + 1)]
            self._number = fields.extra(gr.Dropdown, "region_number", numbers, value="1", label="Reference")
            self._soft = fields.extra(
                gr.Slider, "region_soft", 0, 30, 0, step=1, label="Soft edge", info="In percent of the shorter side."
            )
        gr.HTML(_CANVAS, elem_id=fields.elem_id("region_canvas"))
        self._painting = [fields.extra(gr.Textbox, f"region_{part}", visible=False) for part in ("picture", "strokes")]
        with gr.Row():
            self._blank = fields.extra(gr.Button, "region_blank", "Empty canvas")
            self._set = fields.extra(gr.Button, "region_set", "Use for this reference", variant="primary")
            self._clear = fields.extra(gr.Button, "region_clear", "Remove its mask")
        fields.add("masks")

    def publish(self) -> None:
        """Publish that a mask was set or removed."""
        fields = self._fields
        masks, topics = fields["masks"], fields.topics
        painting = js(f"(_, __, ...rest) => [...instantstylePainting('{fields.elem_id('region_canvas')}'), ...rest]")
        painted, quiet = [*self._painting, self._number, self._soft, masks], {"show_progress": False}
        is_set = self._set.click(showing_errors(_set), inputs=painted, outputs=[masks], **painting, **quiet)
        topics.publish(Topic.REGIONS, is_set.then)
        is_cleared = self._clear.click(_cleared, inputs=[self._number, masks], outputs=[masks], **quiet)
        topics.publish(Topic.REGIONS, is_cleared.then)

    def connect(self) -> None:
        """Connect the button that empties the canvas."""
        canvas = self._fields.elem_id("region_canvas")
        self._blank.click(None, **js(f"() => instantstyleBlank('{canvas}', '{self._tab}')"))


def _cleared(number: str, known: list[Any]) -> list[Any]:
    return with_mask(known, int(number), None)


def _set(picture: str, strokes: str, number: str, soft: float, known: list[Any]) -> list[Any]:
    mask = _drawn(picture, strokes, number).convert("L")
    if soft:
        mask = mask.filter(ImageFilter.GaussianBlur(min(mask.size) * soft / 200))
    make_mask(mask)  # refuses a mask that could never act
    return with_mask(known, int(number), mask)


def _drawn(picture: str, strokes: str, number: str) -> Image.Image:
    """Return the strokes, or the picture under them where there are none."""
    painted = load_picture(strokes, name="painting", background=BLACK)
    if painted is not None and painted.image.getbbox():
        return painted.image
    uploaded = load_picture(picture, name="mask", background=BLACK)
    if uploaded is not None:
        return uploaded.image
    if painted is not None:
        raise ParameterError(
            f"Nothing is painted yet. Paint where reference {number} acts, or upload a black and white mask."
        )
    raise ParameterError("There is nothing to make a mask of. Begin with an empty canvas, or upload a mask.")
