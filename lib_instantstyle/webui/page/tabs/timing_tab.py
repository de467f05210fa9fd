"""The tab Timing: when the style acts, drawn as it is set."""

from __future__ import annotations

from html import escape

import gradio as gr

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.method.schedule import Schedule
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.webui.page.fields import Fields
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.page.svg.curve import curve

_FIELDS = ("start", "end", "curve", "hires_start", "hires_end", "hires_curve")
_POINTS = 121  # on the drawn curve


class TimingTab(Section):
    """The tab Timing; ``has_hires`` says whether jobs may have a hires pass."""

    def __init__(self, fields: Fields, *, has_hires: bool) -> None:
        super().__init__(fields)
        with gr.Row():
            fields.add("start")
            fields.add("end")
        fields.add("curve")
        self._drawing = gr.HTML(_drawn(0.0, 1.0, "Constant", 0.0, 1.0, "Same"), elem_id=fields.elem_id("drawing"))
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
        for component in inputs:
            component.change(_drawn, inputs=inputs, outputs=[self._drawing], show_progress=False)
        if self._has_hires:
            window = [fields["hires_start"], fields["hires_end"]]
            fields["hires_curve"].change(_window, inputs=[fields["hires_curve"]], outputs=window, show_progress=False)


def _window(hires_curve: str) -> list[dict[str, object]]:
    own = (hires_curve or "").strip().lower() not in ("", "same")
    update: dict[str, object] = gr.update(visible=own)
    return [update, update]


def _drawn(*values: object) -> str:
    try:
        params = StyleParams(**dict(zip(_FIELDS, values, strict=True)))  # type: ignore[arg-type]
    except ParameterError as error:
        return f"<p class='instantstyle-warning'>{escape(str(error))}</p>"
    first = Schedule.of_pass(params, hires=False).sampled(_POINTS)
    if not params.has_hires_schedule:
        return curve(first, label="Strength")
    second = Schedule.of_pass(params, hires=True).sampled(_POINTS)
    return curve(first, label="First pass", second=second, second_label="Hires pass")
