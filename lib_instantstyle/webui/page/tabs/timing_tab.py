"""The tab Timing: when the style acts, drawn as it is set; the curve's points can be dragged."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.method.schedule import Schedule
from lib_instantstyle.params.curve import Shape
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.webui.page.fields import Fields
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.page.svg.curve import curve

_FIELDS = ("start", "end", "curve", "hires_start", "hires_end", "hires_curve")
_POINTS = 121  # on the drawn curve
_HANDLES = 5  # of a shape


class TimingTab(Section):
    """The tab Timing; ``has_hires`` says whether jobs may have a hires pass."""

    def __init__(self, fields: Fields, *, has_hires: bool) -> None:
        super().__init__(fields)
        with gr.Row():
            fields.add("start")
            fields.add("end")
        fields.add("curve")
        self._drawing = gr.HTML(self._drawn(0.0, 1.0, "Constant", 0.0, 1.0, "Same"), elem_id=fields.elem_id("drawing"))
        self._edit = fields.extra(gr.Textbox, "curve_edit", visible=False)
        with gr.Row():
            fields.add("passes", visible=has_hires)
            fields.add("hires_curve", visible=has_hires)
        with gr.Row():
            fields.add("hires_start", visible=False)
            fields.add("hires_end", visible=False)
        self._has_hires = has_hires

    def connect(self) -> None:
        """Redraw at every change, and show the hires window only where the hires pass has a curve of its own."""
        fields = self._fields
        inputs = [fields[name] for name in _FIELDS]
        redraw = {"fn": self._drawn, "inputs": inputs, "outputs": [self._drawing], "show_progress": False}
        for component in inputs:
            component.change(**redraw)
        dragged = self._edit.input(_edited, inputs=[self._edit], outputs=[fields["curve"]], show_progress=False)
        dragged.then(**redraw)  # gradio drops a change that arrives while the last one is being drawn
        if self._has_hires:
            window = [fields["hires_start"], fields["hires_end"]]
            fields["hires_curve"].change(_window, inputs=[fields["hires_curve"]], outputs=window, show_progress=False)

    def _drawn(self, *values: object) -> str:
        try:
            params = StyleParams(**dict(zip(_FIELDS, values, strict=True)))  # type: ignore[arg-type]
        except ParameterError as error:
            return f"<p class='instantstyle-warning'>{escape(str(error))}</p>"
        first = Schedule.of_pass(params, hires=False).sampled(_POINTS)
        dragged: dict[str, Any] = {"handles": _handles(params), "target": self._fields.elem_id("curve_edit")}
        if not params.has_hires_schedule:
            return curve(first, label="Strength", **dragged)
        second = Schedule.of_pass(params, hires=True).sampled(_POINTS)
        return curve(first, label="First pass", second=second, second_label="Hires pass", **dragged)


def _window(hires_curve: str) -> list[dict[str, object]]:
    own = (hires_curve or "").strip().lower() not in ("", "same")
    update: dict[str, object] = gr.update(visible=own)
    return [update, update]


def _edited(edit: str) -> str:
    """Return the points of an edit of the drawing, ``points#count``."""
    return edit.partition("#")[0]


def _handles(params: StyleParams) -> list[tuple[float, float]]:
    """Return the curve's points; of a shape some of those that it goes through."""
    points = params.parsed_curve
    if not isinstance(points, Shape):
        return [(point.fraction, point.strength) for point in points]
    way = Schedule(curve=points).sampled(_HANDLES)
    length = (params.end - params.start) / (_HANDLES - 1)
    return [(round(params.start + place * length, 2), round(strength, 2)) for place, strength in enumerate(way)]
