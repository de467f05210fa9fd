"""The tab References: more references, how they are combined, and the layout, negative and subject pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.combination import MAX_PICTURES, complete_weights, parse_reference_weights
from lib_instantstyle.params.declared import Crop
from lib_instantstyle.pictures.crops import views
from lib_instantstyle.pictures.decoding import load_picture, load_pictures
from lib_instantstyle.pictures.formats import open_file
from lib_instantstyle.pictures.unopened import Unopened
from lib_instantstyle.webui.page.fields import GALLERY_LOOK, Fields, showing_errors
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.page.topics import Topic

_SMALL = 160  # pixels, height of a secondary picture


class ReferencesTab(Section):
    """The tab References."""

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        fields.add("images")
        with gr.Row():
            self._upload = fields.extra(
                gr.UploadButton, "images_upload", "Add pictures", file_count="multiple", file_types=["image"]
            )
            self._remove = fields.extra(gr.Button, "images_remove", "Remove the last")
        self._sliders = [_slider(fields, number) for number in range(1, MAX_PICTURES + 1)]
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
        """Publish the changes of the gallery, which has no event of its own for them."""
        fields = self._fields
        images = fields["images"]
        added = self._upload.upload(showing_errors(_added), inputs=[self._upload, images], outputs=[images])
        kept = [images, fields["weights"], fields["masks"]]
        removed = self._remove.click(_removed, inputs=[fields["image"], *kept], outputs=kept, show_progress=False)
        for change in (added, removed):
            fields.topics.publish(Topic.REFERENCES, change.then)

    def connect(self) -> None:
        """Let the weight sliders and the encoder's views follow the pictures."""
        fields = self._fields
        image, weights = fields["image"], fields["weights"]
        pictures = [image, fields["images"]]
        views_shown = {
            "fn": showing_errors(_views),
            "inputs": [fields["enabled"], *pictures, fields["crop"]],
            "outputs": [self._views],
            "show_progress": False,
        }
        sliders = {"fn": _sliders, "inputs": [*pictures, weights], "outputs": self._sliders, "show_progress": False}
        for arguments in (views_shown, sliders):
            image.change(**arguments)
            for topic in Topic:
                fields.topics.listen(topic, **arguments)
        for name in ("enabled", "crop"):
            fields[name].change(**views_shown)
        weights.change(**sliders)
        for slider in self._sliders:
            slider.release(_written, inputs=[*pictures, *self._sliders], outputs=[weights], show_progress=False)


def _slider(fields: Fields, number: int) -> Any:
    return fields.extra(
        gr.Slider, f"weight_{number}", 0, 3, 1, step=0.05, visible=False, label=f"Weight of reference {number}"
    )


def _count(image: Any, images: list[Any]) -> int:
    return min((image is not None) + len(images), MAX_PICTURES)


def _added(files: list[Any], images: list[Any]) -> list[Any]:
    free = MAX_PICTURES - 1 - len(images)
    if len(files) > free:
        raise ParameterError(
            f"{len(files)} pictures were chosen, and {free} more fit: a style has at most {MAX_PICTURES} references. "
            "Choose fewer."
        )
    loaded = [load_picture(Unopened(file.name, open_file), name=f"picture {Path(file.name).name}") for file in files]
    return [*images, *(picture.image for picture in loaded if picture)]


def _removed(image: Any, images: list[Any], weights: str, masks: list[Any]) -> list[Any]:
    """Remove the last of ``images`` with its weight and its region mask."""
    if not images:
        return [images, weights, masks]
    left = images[:-1]
    count = _count(image, left)
    known = [part.strip() for part in weights.split(",") if part.strip()]
    if any(masks[count:]):
        gr.Info(f"The region mask of reference {count + 1} went with it.")
    return [left, ", ".join(known[:count]), masks[:count]]


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


def _sliders(image: Any, images: list[Any], weights: str) -> list[Any]:
    count = _count(image, images)
    try:
        values = complete_weights(parse_reference_weights(weights), MAX_PICTURES)
    except ParameterError:
        values = [1.0] * MAX_PICTURES  # the text is being edited; generating says what is wrong with it
    return [gr.update(visible=count > 1 and number < count, value=value) for number, value in enumerate(values)]


def _written(image: Any, images: list[Any], *values: float) -> str:
    return ", ".join(f"{value:g}" for value in values[: _count(image, images)])
