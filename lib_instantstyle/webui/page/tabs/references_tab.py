"""The tab References: a row for each, how they are combined, and the layout, negative and subject pictures."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import gradio as gr

from lib_instantstyle.errors import InstantStyleError, ParameterError
from lib_instantstyle.library.style_library import StyleLibrary
from lib_instantstyle.params.combination import MAX_PICTURES
from lib_instantstyle.params.declared import Crop
from lib_instantstyle.params.picture_hashes import parse_picture_hashes
from lib_instantstyle.pictures.crops import views
from lib_instantstyle.pictures.decoding import load_picture, load_pictures
from lib_instantstyle.pictures.formats import open_file
from lib_instantstyle.pictures.unopened import Unopened
from lib_instantstyle.webui.page.compat import js
from lib_instantstyle.webui.page.fields import GALLERY_LOOK, Fields, showing_errors
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.page.topics import Topic

_SMALL = 160  # pixels, height of a secondary picture
_KEPT = ("image", "images", "weights", "masks")  # what belongs to single references
# The page's script makes a row of it for each reference, from what the page shows of boxes and galleries.
_ROWS = (
    "<div class='instantstyle-rows' data-tab='{tab}'><template><div class='instantstyle-reference'>"
    "<b></b><img data-picture alt='' hidden>"
    "<label><span>Weight</span><input type='range' min='0' max='3' step='0.05'>"
    "<input type='number' min='0' max='3' step='0.05'></label>"
    "<button type='button' data-mask title='Paint its region'><img alt='' hidden><span>No region</span></button>"
    "<button type='button' data-remove title='Remove this reference'>×</button></div></template></div>"
)


class ReferencesTab(Section):
    """The tab References in ``tab``, "txt2img" or "img2img"; the styles in ``library`` have references too."""

    def __init__(self, fields: Fields, library: StyleLibrary, tab: str) -> None:
        super().__init__(fields)
        self._library = library
        self._tab = tab
        gr.HTML(_ROWS.format(tab=tab), elem_id=fields.elem_id("rows"))
        fields.add("images", visible=False)
        self._removed = fields.extra(gr.Textbox, "reference_remove", visible=False)
        self._emptied = fields.extra(gr.Textbox, "reference_emptied", visible=False)
        self._unseen = fields.extra(gr.Textbox, "unseen", "0", visible=False)
        self._upload = fields.extra(
            gr.UploadButton, "images_upload", "Add pictures", file_count="multiple", file_types=["image"]
        )
        with gr.Accordion("Weights as text", open=False):
            fields.add("weights")
        with gr.Row():
            fields.add("combine")
            fields.add("crop")
        self._views = fields.extra(
            gr.Gallery, "views", label="What the encoder sees", columns=8, height=160, visible=False, **GALLERY_LOOK
        )
        with gr.Row():
            for name in ("layout_image", "negative_image", "subject_image"):
                with gr.Column(min_width=140):
                    fields.add(name, height=_SMALL)
        fields.add("subject_weight")

    def publish(self) -> None:
        """Publish the changes of the references, for which their gallery has no event."""
        fields = self._fields
        kept = [fields[name] for name in _KEPT]
        added = self._upload.upload(showing_errors(_added), inputs=[self._upload, *kept[:2]], outputs=kept[:2])
        quiet = {"outputs": kept, "show_progress": False}
        removed = self._removed.input(showing_errors(_removed), inputs=[self._removed, *kept], **quiet)
        removed.then(None, **js(f"() => instantstyleRemoved('{self._tab}')"))
        is_removed = js(f"(_, ...rest) => [instantstyleIsRemoved('{self._tab}'), ...rest]")
        cleared = fields["image"].clear(
            showing_errors(_cleared), inputs=[self._emptied, *kept[1:]], **quiet, **is_removed
        )
        fields.topics.publish(Topic.ADDED, added.then)
        for change in (added, removed, cleared):
            fields.topics.publish(Topic.REFERENCES, change.then)

    def connect(self) -> None:
        """Let the encoder's views follow the pictures, and the rows the references that are known without any."""
        fields = self._fields
        image = fields["image"]
        views_shown = {
            "fn": showing_errors(_views),
            "inputs": [fields["enabled"], image, fields["images"], fields["crop"]],
            "outputs": [self._views],
            "show_progress": False,
        }
        image.change(**views_shown)
        for topic in (Topic.REFERENCES, Topic.STYLE_CHOSEN):
            fields.topics.listen(topic, **views_shown)
        for name in ("enabled", "crop", "style"):
            fields[name].change(**views_shown)
        known = [fields["style"], fields["reference"]]
        for component in known:
            component.change(self._count_unseen, inputs=known, outputs=[self._unseen], show_progress=False)

    def _count_unseen(self, style: str, reference: str) -> str:
        """Return how many references the saved style has, or else the pasted hashes."""
        with contextlib.suppress(InstantStyleError):  # the status line says what is wrong with it
            return str(self._library.find(style).references if style else len(parse_picture_hashes(reference).style))
        return "0"


def _added(files: list[Any], image: Any, images: list[Any]) -> list[Any]:
    """Add pictures behind those that are there; the first of all goes into the box."""
    free = MAX_PICTURES - (image is not None) - len(images)
    if len(files) > free:
        raise ParameterError(
            f"{len(files)} pictures were chosen, and {free} more fit: a style has at most {MAX_PICTURES} references. "
            "Choose fewer."
        )
    loaded = [load_picture(Unopened(file.name, open_file), name=f"picture {Path(file.name).name}") for file in files]
    return _laid_out(image, [image, *images, *(picture.image for picture in loaded if picture)])


def _removed(edit: str, image: Any, images: list[Any], weights: str, masks: list[Any]) -> list[Any]:
    """Remove a reference, ``number#count``, with its weight and its region mask."""
    index = int(edit.partition("#")[0]) - 1
    given = [picture for picture in (image, *images) if picture is not None]
    return [*_laid_out(image, given[:index] + given[index + 1 :]), *_without(index, weights, masks)]


def _cleared(is_removed: str, images: list[Any], weights: str, masks: list[Any]) -> list[Any]:
    """Remove the first reference, whose box was emptied: the next one takes its place."""
    if not is_removed:
        return [gr.update()] * len(_KEPT)
    return [*_laid_out(None, images), *_without(0, weights, masks)]


def _laid_out(image: Any, pictures: list[Any]) -> list[Any]:
    """Return box and gallery: the box, which holds ``image`` now, has the first of ``pictures``, none of it empty."""
    given = [picture for picture in pictures if picture is not None]
    if given[:1] == [image] or (not given and image is None):
        return [gr.update(), given[1:]]
    first = load_picture(given[0], name="style reference") if given else None
    return [first.image if first else None, given[1:]]


def _without(index: int, weights: str, masks: list[Any]) -> list[Any]:
    """Return weights and masks without those of the reference at ``index``."""
    if any(masks[index : index + 1]):
        number = index + 1
        gr.Info(f"The region mask of reference {number} went with it.")
    known = [part.strip() for part in weights.strip(" []").split(",")]
    return [", ".join([*known[:index], *known[index + 1 :]]), [*masks[:index], *masks[index + 1 :]]]


def _views(enabled: bool, image: Any, images: list[Any], crop: str) -> Any:
    if not enabled:  # nothing is opened that no job would use
        return gr.update()
    given = [picture for picture in (image, *images) if picture is not None]
    pictures = load_pictures(given, MAX_PICTURES, name="style reference")
    squares = [
        (square, f"{number}")
        for number, picture in enumerate(pictures, start=1)
        if picture
        for square in views(picture.image, Crop(crop))
    ]
    return gr.update(value=squares, visible=bool(squares))
