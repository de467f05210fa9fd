"""Components that extensions use beside gradio's own."""

from __future__ import annotations

import functools
from typing import Any

import gradio as gr

from modules import gradio4

gradio4.install()


class FormComponent:
    """Marks components that belong into a form."""

    webui_do_not_create_gradio_pyi_thank_you = True

    def get_expected_parent(self) -> type:
        return gr.components.Form


gr.Dropdown.get_expected_parent = FormComponent.get_expected_parent


class ToolButton(FormComponent, gr.Button):
    """A small button with an emoji."""

    @functools.wraps(gr.Button.__init__)
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        classes = kwargs.pop("elem_classes", [])
        super().__init__(*args, elem_classes=["tool", *classes], **kwargs)

    def get_block_name(self) -> str:
        return "button"


class ResizeHandleRow(gr.Row):
    webui_do_not_create_gradio_pyi_thank_you = True

    @functools.wraps(gr.Row.__init__)
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.elem_classes.append("resize-handle-row")

    def get_block_name(self) -> str:
        return "row"


class FormRow(FormComponent, gr.Row):
    def get_block_name(self) -> str:
        return "row"


class FormColumn(FormComponent, gr.Column):
    def get_block_name(self) -> str:
        return "column"


class FormGroup(FormComponent, gr.Group):
    def get_block_name(self) -> str:
        return "group"


class FormHTML(FormComponent, gr.HTML):
    def get_block_name(self) -> str:
        return "html"


class FormColorPicker(FormComponent, gr.ColorPicker):
    def get_block_name(self) -> str:
        return "colorpicker"


class DropdownMulti(FormComponent, gr.Dropdown):
    @functools.wraps(gr.Dropdown.__init__)
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(multiselect=True, **kwargs)

    def get_block_name(self) -> str:
        return "dropdown"


class DropdownEditable(FormComponent, gr.Dropdown):
    @functools.wraps(gr.Dropdown.__init__)
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_custom_value=True, **kwargs)

    def get_block_name(self) -> str:
        return "dropdown"


class InputAccordion(gr.Checkbox):
    """An accordion that is a value: open means True. The component itself is a hidden checkbox.

    Args:
        value: Whether it starts open.
        elem_id: Id of the accordion; the hidden checkbox is ``<elem_id>-checkbox``.
    """

    global_index = 0
    webui_do_not_create_gradio_pyi_thank_you = True

    @functools.wraps(gr.Checkbox.__init__)
    def __init__(self, value: bool = False, **kwargs: Any) -> None:
        if "render" in kwargs:  # gradio 4 makes the checkbox anew when it changes
            super().__init__(value, **kwargs)
            return
        self.accordion_id = kwargs.get("elem_id")
        if self.accordion_id is None:
            self.accordion_id = f"input-accordion-{InputAccordion.global_index}"
            InputAccordion.global_index += 1
        hidden = {**kwargs, "elem_id": f"{self.accordion_id}-checkbox", "visible": False}
        super().__init__(value, **hidden)
        self.change(None, _js=f'function(on) {{ inputAccordionChecked("{self.accordion_id}", on); }}', inputs=[self])
        visible = {key: kwargs[key] for key in ("label", "visible") if key in kwargs}
        self.accordion = gr.Accordion(
            **visible, elem_id=self.accordion_id, open=value, elem_classes=["input-accordion"]
        )

    def extra(self) -> gr.Column:
        """Return a place for components in the accordion's header."""
        return gr.Column(elem_id=f"{self.accordion_id}-extra", elem_classes="input-accordion-extra", min_width=0)

    def __enter__(self) -> InputAccordion:
        self.accordion.__enter__()
        return self

    def __exit__(self, *details: Any) -> None:
        self.accordion.__exit__(*details)

    def get_block_name(self) -> str:
        return "checkbox"
