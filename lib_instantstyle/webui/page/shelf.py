"""The tab Library: saved styles."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_instantstyle.errors import StyleError
from lib_instantstyle.styles import PICTURES, SETTINGS
from lib_instantstyle.webui import library, saving
from lib_instantstyle.webui.page.fields import params_from, queued, shown

if TYPE_CHECKING:
    from lib_instantstyle.webui.page.fields import Fields

_HELP = (
    "<p>A saved style keeps the embedding and the settings, not the picture. Use it here, "
    "or in a prompt: <code>&lt;instantstyle:name:0.8&gt;</code>, several at once, from the cards of the tab "
    "InstantStyle.</p>"
)
_CONFIRM = "(name) => [name && !confirm(`Delete the saved style ${name}?`) ? null : name]"


class Shelf:
    """The tab Library; constructing lays it out."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        gr.HTML(_HELP, elem_classes="instantstyle-advice")
        with gr.Row():
            fields.add_files("style", _choices)
        with gr.Row():
            self._delete = gr.Button("Delete", elem_id=fields.elem_id("style_delete"))
            self._export = gr.Button("Export", elem_id=fields.elem_id("style_export"))
        self._file = gr.File(label="Style file", visible=False, elem_id=fields.elem_id("style_file"))
        with gr.Row():
            self._name = gr.Textbox(
                label="Name",
                placeholder="ink and wash",
                info="Saves what is set now.",
                elem_id=fields.elem_id("style_name"),
            )
            self._replace = gr.Checkbox(
                False, label="Replace a style of this name", elem_id=fields.elem_id("style_replace")
            )
        with gr.Row():
            self._save = gr.Button("Save style", variant="primary", elem_id=fields.elem_id("style_save"))
            self._imported = gr.UploadButton(
                "Import a style file", file_types=[".safetensors"], elem_id=fields.elem_id("style_import")
            )
        self._said = gr.HTML(elem_id=fields.elem_id("style_said"), elem_classes="instantstyle-advice")
        for component in (self._name, self._replace):
            component.do_not_save_to_config = True

    def connect(self) -> None:
        """Let the buttons work."""
        fields = self._fields
        style, said = fields["style"], self._said
        pictures = [fields[name] for name in ("reference", *PICTURES)]
        settings = [fields[name] for name in SETTINGS]
        # Another page, the API or the other tab may have saved styles meanwhile.
        fields.tabs["Library"].select(lambda: gr.update(choices=_choices()), outputs=[style], show_progress=False)
        chosen = style.input(
            shown(_chosen), inputs=[style, fields["masks"]], outputs=[*pictures, *settings], show_progress=False
        )
        for arguments in fields.follow:
            chosen.then(**arguments)
        fields["image"].upload(lambda: "", outputs=[style], show_progress=False)
        self._save.click(queued(_saved), inputs=[self._name, self._replace, *fields.in_order()], outputs=[style, said])
        self._delete.click(shown(_deleted), inputs=[style], outputs=[style, said], _js=_CONFIRM)
        self._export.click(shown(_exported), inputs=[style], outputs=[self._file])
        self._imported.upload(shown(_imported), inputs=[self._imported, self._replace], outputs=[style, said])


def _choices() -> list[str]:
    return ["", *library.names()]


def _chosen(name: str, masks: list[Any]) -> list[Any]:
    """Fill the settings of a style into the controls; its embedding takes the place of the pictures."""
    if name and any(masks):
        gr.Info("The region masks stay, and act on the saved style. The tab Regions removes them.")
    if not name:
        return [gr.update()] * (1 + len(PICTURES) + len(SETTINGS))
    pictures: list[Any] = [[] if key == "images" else None for key in PICTURES]
    values = library.find(name).filled.values()
    return ["", *pictures, *(value.value if isinstance(value, Enum) else value for value in values)]


def _saved(name: str, replace: bool, *values: Any) -> list[Any]:
    path = saving.save(name, params_from(values), replace=replace)
    size = path.stat().st_size / 1024
    return [
        gr.update(choices=_choices()),
        f"Saved {path.stem} ({size:.1f} KB). In a prompt: &lt;instantstyle:{path.stem}:1&gt;. Its card comes with "
        "Refresh in the tab InstantStyle beside Generation. While the accordion is ticked, it acts too.",
    ]


def _deleted(name: str | None) -> list[Any]:
    if name is None:  # asked, and answered no
        return [gr.update(), ""]
    if not name:
        raise StyleError("Choose the style to delete.")
    library.delete(name)
    return [gr.update(choices=_choices(), value=""), f"Deleted {name}."]


def _exported(name: str) -> Any:
    if not name:
        raise StyleError("Choose the style to export.")
    path = library.existing(name)
    return gr.update(value=str(path), visible=True)


def _imported(file: Any, replace: bool) -> list[Any]:
    path = library.import_path(Path(file.name), replace=replace)
    return [gr.update(choices=_choices()), f"Imported {path.stem}."]
