"""Pictures from earlier, which pasted parameters name by their hashes: shown in the tab Style until new ones come."""

from __future__ import annotations

import base64
from html import escape
from typing import Any

import gradio as gr

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.picture_hashes import PictureHashes, parse_picture_hashes
from lib_instantstyle.webui.encoding.cache import find_thumbnail
from lib_instantstyle.webui.page.fields import Fields
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.page.topics import Topic

_HELP = "<p>Pictures from earlier, found by the pasted parameters. A new style reference takes their place.</p>"
_NAMES = {  # the words in tags of their own, so that the host can translate them
    "reference": "<span>Reference</span>",
    "layout": "<span>Layout picture</span>",
    "negative": "<span>Negative style picture</span>",
    "subject": "<span>Subject picture</span>",
    "mask": "<span>Region</span>",
}


class EarlierPictures(Section):
    """The field ``reference``, which nobody reads, as the pictures that it names."""

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        fields.add("reference", visible=False)
        self._shown = fields.extra(
            gr.HTML, "earlier", visible=False, elem_classes=["instantstyle-earlier", "instantstyle-advice"]
        )
        # The page's script writes the name of one to remove.
        self._remove = fields.extra(gr.Textbox, "earlier_remove", visible=False)

    def connect(self) -> None:
        """Draw the pictures when they change, or when others take their place."""
        fields = self._fields
        reference, style, known = fields["reference"], fields["style"], fields.known["image"]
        inputs = [known, fields["images"], reference, style]
        draw = {"fn": self._drawn, "inputs": inputs, "outputs": [self._shown], "show_progress": False}
        for component in (reference, style, known):
            component.change(**draw)
        fields.topics.listen(Topic.REFERENCES, **draw)
        kept = [reference, fields["weights"]]
        self._remove.input(_removed, inputs=[self._remove, *kept], outputs=kept, show_progress=False)

    def _drawn(self, known: str, images: list[Any], reference: str, style: str) -> Any:
        if not reference or style or known or images:
            return gr.update(value="", visible=False)
        try:
            pictures = "".join(self._picture(name, digest) for name, digest in parse_picture_hashes(reference).named())
        except ParameterError as error:
            return gr.update(value=f"<p class='instantstyle-warning'>{escape(str(error))}</p>", visible=True)
        return gr.update(value=f"{_HELP}<div>{pictures}</div>", visible=True)

    def _picture(self, name: str, digest: str) -> str:
        kind, _, number = name.partition(" ")
        thumbnail = base64.b64encode(find_thumbnail(digest) or b"").decode()
        image = f"<img src='data:image/webp;base64,{thumbnail}' alt=''>" if thumbnail else "<i>?</i>"
        target = self._fields.elem_id("earlier_remove")
        remove = f"<button type='button' aria-label='Remove' data-name='{name}' data-target='{target}'>×</button>"
        return f"<figure>{image}{remove}<figcaption>{_NAMES[kind]} {number}</figcaption></figure>"


def _removed(edit: str, reference: str, weights: str) -> list[str]:
    """Remove the picture in ``name#count`` and, of a reference, its weight."""
    name = edit.partition("#")[0]
    kind, _, number = name.partition(" ")
    hashes: PictureHashes = parse_picture_hashes(reference).without(name)
    kept = [part.strip() for part in weights.split(",") if part.strip()]
    if kind == "reference":
        del kept[int(number) - 1 : int(number)]
    return [hashes.text(), ", ".join(kept)]
