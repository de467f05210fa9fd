"""The tab Library: choosing, saving, deleting, exporting and importing styles."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

import gradio as gr

from lib_instantstyle.errors import StyleError
from lib_instantstyle.library.saved_style import PICTURES, SETTINGS
from lib_instantstyle.webui.page.compat import js
from lib_instantstyle.webui.page.fields import Fields, params_from, queued, showing_errors
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.page.topics import Topic
from lib_instantstyle.webui.styles.saving import save_style
from lib_instantstyle.webui.styles.style_builder import StyleBuilder

_HELP = (
    "<p>A saved style keeps the embedding and the settings, not the picture. Use it here, "
    "or in a prompt: <code>&lt;instantstyle:name:0.8&gt;</code>, several at once, from the cards of the tab "
    "InstantStyle.</p>"
)
_REPLACED = ("reference", *PICTURES, *SETTINGS)
_CONFIRM = "(name, ...rest) => [name && !confirm(`Delete the saved style ${name}?`) ? null : name, ...rest]"
_REFRESH_CARDS = (
    "() => { for (const tab of ['txt2img', 'img2img'])"
    " document.getElementById(`${tab}_instantstyle_extra_refresh_internal`)?.click(); }"
)
# Gradio stores an upload without the marks, brackets and apostrophes of its name; the browser still knows them.
_OWN_NAME = "(file, replace) => [file, replace, (Array.isArray(file) ? file[0] : file)?.orig_name ?? '']"


class LibraryTab(Section):
    """The tab Library; ``builder`` prepares the styles that are saved."""

    def __init__(self, fields: Fields, builder: StyleBuilder) -> None:
        super().__init__(fields)
        self._builder = builder
        self._library = builder.library
        gr.HTML(_HELP, elem_classes="instantstyle-advice")
        with gr.Row():
            fields.add_files("style", self._choices)
        with gr.Row():
            self._delete = fields.extra(gr.Button, "style_delete", "Delete")
            self._export = fields.extra(gr.Button, "style_export", "Export")
        self._file = fields.extra(gr.File, "style_file", label="Style file", visible=False)
        with gr.Row():
            self._name = fields.extra(
                gr.Textbox, "style_name", label="Name", placeholder="ink and wash", info="Saves what is set now."
            )
            self._replace = fields.extra(gr.Checkbox, "style_replace", False, label="Replace a style of this name")
        with gr.Row():
            self._save = fields.extra(gr.Button, "style_save", "Save style", variant="primary")
            self._imported = fields.extra(
                gr.UploadButton, "style_import", "Import a style file", file_types=[".safetensors"]
            )
        self._said = fields.extra(gr.HTML, "style_said", elem_classes="instantstyle-advice")
        self._aside = gr.State(None)  # what a saved style has taken the place of

    def publish(self) -> None:
        """Fill the settings of a chosen style into the controls, or give back what stood there, and publish that."""
        fields = self._fields
        replaced = [self._aside, *(fields[name] for name in _REPLACED)]
        chosen = fields["style"].input(
            showing_errors(self._chosen),
            inputs=[fields["style"], fields["masks"], *replaced],
            outputs=replaced,
            show_progress=False,
        )
        fields.topics.publish(Topic.STYLE_CHOSEN, chosen.then)

    def connect(self) -> None:
        """Connect the buttons."""
        fields = self._fields
        style, said = fields["style"], self._said
        # Another page, the API or the other tab may have saved styles meanwhile.
        fields.tabs["Library"].select(lambda: gr.update(choices=self._choices()), outputs=[style], show_progress=False)
        replaced = [self._aside, *map(fields.__getitem__, _REPLACED)]
        returned = {"outputs": [style, *replaced], "show_progress": False}
        fields["image"].upload(_given_back, inputs=[self._aside], **returned)
        added = [self._aside, fields["image"], fields["images"]]
        fields.topics.listen(Topic.ADDED, fn=_given_back, inputs=added, **returned)
        everything = [self._name, self._replace, *fields.in_order()]
        saved = self._save.click(queued(self._saved), inputs=everything, outputs=[style, said])
        deleted = self._delete.click(
            showing_errors(self._deleted), inputs=[style, self._aside], outputs=[said, style, *replaced], **js(_CONFIRM)
        )
        self._export.click(showing_errors(self._exported), inputs=[style], outputs=[self._file])
        file = {"inputs": [self._imported, self._replace, self._name], "outputs": [style, said]}
        imported = self._imported.upload(showing_errors(self._imported_file), **js(_OWN_NAME), **file)
        for change in (saved, deleted, imported):
            change.then(None, **js(_REFRESH_CARDS))

    def _choices(self) -> list[str]:
        return ["", *self._library.names()]

    def _chosen(self, name: str, masks: list[Any], aside: list[Any] | None, *current: Any) -> list[Any]:
        """Return what to keep aside, and the settings of a style without pictures, or what was kept aside before."""
        if not name:
            return _back(aside)
        values = self._library.find(name).filled.values()
        if any(masks):
            gr.Info("The region masks stay, and act on the saved style. The tab Regions removes them.")
        pictures: list[Any] = [[] if key == "images" else None for key in PICTURES]
        settings = [value.value if isinstance(value, Enum) else value for value in values]
        return [aside or list(current), "", *pictures, *settings]

    def _saved(self, name: str, replace: bool, *values: Any) -> list[Any]:
        path = save_style(name, params_from(values), self._builder, replace=replace)
        size = path.stat().st_size / 1024
        return [
            gr.update(choices=self._choices()),
            f"Saved {path.stem} ({size:.1f} KB). In a prompt: &lt;instantstyle:{path.stem}:1&gt;. Its card is in the "
            "tab InstantStyle beside Generation. While the accordion is ticked, it acts too.",
        ]

    def _deleted(self, name: str | None, aside: list[Any] | None) -> list[Any]:
        if name is None:  # the user cancelled
            return ["", gr.update(), aside, *_back(None)[1:]]
        if not name:
            raise StyleError("Choose the style to delete.")
        self._library.delete(name)
        return [f"Deleted {name}.", gr.update(choices=self._choices(), value=""), *_back(aside)]

    def _exported(self, name: str) -> Any:
        if not name:
            raise StyleError("Choose the style to export.")
        return gr.update(value=str(self._library.existing(name).path), visible=True)

    def _imported_file(self, file: Any, replace: bool, name: str) -> list[Any]:
        path = self._library.import_path(Path(file.name), name, replace=replace)
        return [gr.update(choices=self._choices()), f"Imported {path.stem}."]


def _back(aside: list[Any] | None) -> list[Any]:
    """Return nothing to keep aside, and what was kept there, if anything was."""
    return [None, *(aside or [gr.update()] * len(_REPLACED))]


def _given_back(aside: list[Any] | None, *added: Any) -> list[Any]:
    """Return no style, and what it had taken the place of, for pictures that replace it.

    ``added`` are what box and gallery hold of them; without, they are one picture, which stays in the box.
    """
    if aside is None:
        return ["", *_back(aside)]
    kept = dict(zip(_REPLACED, aside, strict=True))
    if added:
        image, images = added
        given = [picture for picture in (kept["image"], *kept["images"], image, *images) if picture is not None]
        kept["image"], kept["images"] = given[0], given[1:]
    else:
        kept["image"] = gr.update()
    return ["", None, *kept.values()]
