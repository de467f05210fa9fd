"""An event handler of which one call runs at a time: with the newest values, however fast the events come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from lib_instantstyle.webui.page.compat import js
from lib_instantstyle.webui.page.fields import Fields


class Press:
    """A hidden button that the page's script presses; ``name`` becomes its element id.

    Gradio drops an event that comes while the handler of the last one runs, and answers may overtake each other.
    """

    def __init__(self, fields: Fields, name: str) -> None:
        self._button = fields.extra(gr.Button, name, "", visible=False)
        self._id = fields.elem_id(name)

    @property
    def soon(self) -> dict[str, Any]:
        """The arguments of an event that presses it."""
        return {"fn": None, "show_progress": False, **js(f"() => {{ instantstylePress('{self._id}'); }}")}

    def when_other(self, code: str) -> dict[str, Any]:
        """Return the arguments of an event that presses it if what ``code`` makes of the inputs is not as before."""
        return {**self.soon, **js(f"(...given) => {{ instantstylePressOnce('{self._id}', ({code})(...given)); }}")}

    def connect(self, handler: Callable[..., Any], inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
        """Let it run ``handler``, and return the event, after which others may come."""
        answered = self._button.click(handler, inputs=inputs, outputs=outputs, show_progress=False)
        answered.then(None, **js(f"() => {{ instantstylePressed('{self._id}'); }}"))
        return answered  # nothing follows an event that runs on the page alone
