"""Components made from the controls, and helpers for the event handlers of all sections."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import gradio as gr

from lib_instantstyle.errors import InstantStyleError
from lib_instantstyle.params.controls import Control
from lib_instantstyle.params.style_params import StyleParams, controls, default_of
from lib_instantstyle.webui.page.pictures import MaskGallery, PictureBox, PictureGallery
from lib_instantstyle.webui.page.topics import Topics

Answer = TypeVar("Answer")
_PICTURE_HEIGHT = 240  # pixels
_GALLERY_HEIGHT = 190
GALLERY_LOOK = {"object_fit": "contain", "preview": False, "elem_classes": "instantstyle-gallery"}


class Fields:
    """The components of one accordion by the names of their fields.

    Attributes:
        elem_id: Makes a name into an element id, distinct in txt2img and img2img.
        tabs: The accordion's tabs by label.
        known: Hidden texts by the names of picture boxes: empty where a box is.
        topics: Events that the sections publish to each other.
    """

    def __init__(self, elem_id: Callable[[str], str]) -> None:
        self.elem_id = elem_id
        self.tabs: dict[str, Any] = {}
        self.known: dict[str, Any] = {}
        self.topics = Topics()
        self._components: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """Return the component of the field ``name``."""
        return self._components[name]

    def __setitem__(self, name: str, component: Any) -> None:
        """Register a component that was made elsewhere."""
        self._components[name] = component

    def add(self, name: str, **options: Any) -> Any:
        """Lay out the component of the field ``name`` here on the page."""
        component = _component(name, controls()[name], {"elem_id": self.elem_id(name), **options})
        self._components[name] = component
        return component

    def add_files(self, name: str, choices: Callable[[], list[str]]) -> Any:
        """Lay out a dropdown of files that may come and go, with a button that refreshes it.

        Nothing is searched while the WebUI builds the page; the choices come when a browser has opened it.
        """
        from gradio.context import Context
        from modules.ui_common import create_refresh_button

        control = controls()[name]
        common = {"label": control.label, "info": control.help, "elem_id": self.elem_id(name)}
        dropdown = gr.Dropdown(choices=[default_of(name)], value=default_of(name), **common)
        dropdown.do_not_save_to_config = True  # a file that may be gone at the next start
        self._components[name] = dropdown
        create_refresh_button(dropdown, lambda: None, lambda: {"choices": choices()}, self.elem_id(f"{name}_refresh"))
        if page := Context.root_block:
            page.load(lambda: gr.update(choices=choices()), outputs=[dropdown], show_progress=False)
        return dropdown

    def extra(self, kind: Callable[..., Any], name: str, *values: Any, **options: Any) -> Any:
        """Lay out a component that is no field, so that the WebUI does not save it among its defaults either."""
        component = kind(*values, elem_id=self.elem_id(name), **options)
        component.do_not_save_to_config = True
        return component

    def in_order(self) -> list[Any]:
        """Return the components in the order of the fields, which is the order of the positional API."""
        return [self._components[name] for name in controls()]

    def named(self) -> dict[str, Any]:
        """Return the components by name."""
        return dict(self._components)


def host_component(elem_id: str) -> Any:
    """Return a component of the host's that it has laid out already; None if there is none."""
    from gradio.context import Context

    blocks = Context.root_block.blocks.values() if Context.root_block else ()
    return next((block for block in blocks if getattr(block, "elem_id", None) == elem_id), None)


def params_from(values: Sequence[Any]) -> StyleParams:
    """Return the parameters in the components' values, as if the accordion were ticked.

    Raises:
        ParameterError: If a value cannot be used.
    """
    return StyleParams.from_args([True, *values[1:]])


def showing_errors(handler: Callable[..., Answer]) -> Callable[..., Answer]:
    """Show the errors of an event handler to the user."""

    @functools.wraps(handler)
    def wrapped(*args: Any) -> Answer:
        try:
            return handler(*args)
        except InstantStyleError as error:
            raise gr.Error(str(error)) from error

    return wrapped


def queued(handler: Callable[..., Answer]) -> Callable[..., Answer]:
    """Run an event handler that uses the model while no picture is being made, and show its errors."""
    from modules import call_queue

    locked: Callable[..., Answer] = call_queue.wrap_queued_call(showing_errors(handler))
    return locked


def _component(name: str, control: Control, options: dict[str, Any]) -> Any:
    default = default_of(name)
    if control.pictures:
        return _pictures(name, control, options)
    common: dict[str, Any] = {"label": control.label, "info": control.help, **options}
    if control.choices is not None:
        labels = [str(member.value) for member in control.choices]
        return gr.Dropdown(choices=labels, value=str(default.value), **common)
    if control.suggestions:
        return gr.Dropdown(choices=list(control.suggestions), value=default, allow_custom_value=True, **common)
    if isinstance(default, float):
        return gr.Slider(minimum=control.minimum, maximum=control.maximum, step=control.step, value=default, **common)
    return gr.Textbox(value=default, **{"lines": 1, **common})


def _pictures(name: str, control: Control, options: dict[str, Any]) -> Any:
    if control.pictures == 1:
        return PictureBox(**{"label": control.label, "height": _PICTURE_HEIGHT, **options})
    kind = MaskGallery if name == "masks" else PictureGallery
    return kind(**{"label": control.label, "columns": 4, "height": _GALLERY_HEIGHT, **GALLERY_LOOK, **options})
