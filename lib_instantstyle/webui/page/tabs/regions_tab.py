"""The tab Regions: where each reference acts, painted or uploaded."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_instantstyle.pictures.decoding import BLACK, load_picture
from lib_instantstyle.pictures.regions import fitted, make_mask
from lib_instantstyle.webui.page.compat import js
from lib_instantstyle.webui.page.fields import Fields, showing_errors
from lib_instantstyle.webui.page.pictures import with_mask
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.page.topics import Topic

_HELP = (
    "<p>Choose a reference and paint where it acts; each stroke is used at once. "
    "References without a region act in the rest of the picture.</p>"
)
# The page's script paints on it. Gradio's own canvases differ by version, and one needs WebGL.
_CANVAS = (
    "<div class='instantstyle-canvas instantstyle-none' data-tab='{tab}'>"
    "<template><button type='button' role='radio' aria-checked='false'><b></b><img alt='' hidden></button></template>"
    "<p data-no-reference>There is no reference yet. Drop a picture into the tab Style.</p>"
    "<div data-chips role='radiogroup'></div>"
    "<div><label><span>Brush size</span><input type='range' min='1' max='40' value='10' data-brush></label>"
    "<label><span>Soft edge</span><input type='range' min='0' max='100' value='0' data-soft></label>"
    "<label><input type='checkbox' data-eraser><span>Eraser</span></label>"
    "<label><input type='checkbox' data-over><span>Over the last result</span></label></div>"
    "<div><button type='button' data-do='undo'>Undo</button><button type='button' data-do='invert'>Invert</button>"
    "<button type='button' data-do='rest'>Fill the rest</button>"
    "<button type='button' data-do='clear'>Remove the region</button>"
    "<label><span>Upload a mask</span><input type='file' accept='image/*'></label></div>"
    "<p data-no-result hidden>There is no result yet. Generate a picture first.</p>"
    "<div data-sheet><canvas width='0' height='0' data-others></canvas>"
    "<canvas width='0' height='0' data-own></canvas></div></div>"
)


class RegionsTab(Section):
    """The tab Regions; the canvas takes the size set in ``tab``, "txt2img" or "img2img"."""

    def __init__(self, fields: Fields, tab: str) -> None:
        super().__init__(fields)
        self._tab = tab
        gr.HTML(_HELP, elem_classes="instantstyle-advice")
        gr.HTML(_CANVAS.format(tab=tab), elem_id=fields.elem_id("region_canvas"))
        self._apply = fields.extra(gr.Button, "region_apply", "", visible=False)
        self._edit = [fields.extra(gr.Textbox, f"region_{part}", visible=False) for part in ("number", "picture")]
        self._size = [gr.Number(512, visible=False), gr.Number(512, visible=False)]
        fields.add("masks", visible=False)

    def publish(self) -> None:
        """Publish that a region changed."""
        masks = self._fields["masks"]
        edit, tab = [*self._edit, *self._size], self._tab
        applied = self._apply.click(
            showing_errors(_applied),
            inputs=[*edit, masks],
            outputs=[masks],
            show_progress=False,
            **js(f"(...given) => [...instantstyleRegion('{tab}'), ...given.slice({len(edit)})]"),
        )
        applied.then(None, **js(f"() => instantstyleRegionSet('{tab}')"))
        self._fields.topics.publish(Topic.REGIONS, applied.then)


def _applied(number: str, picture: str, width: float, height: float, known: list[Any]) -> list[Any]:
    """Set the mask of reference ``number``, in the shape of the picture that is set; none without ``picture``."""
    opened = load_picture(picture, name="mask", background=BLACK)
    if opened is None:
        return with_mask(known, int(number), None)
    mask = opened.image.convert("L")
    make_mask(mask)  # refuses a mask that could never act
    fitting = fitted(mask, int(width), int(height))
    if fitting is not mask:
        gr.Info(
            f"The mask of reference {number} was stretched to the picture's shape: it was {mask.width}×{mask.height}."
        )
    return with_mask(known, int(number), fitting)
