"""Words for what a reference shows: from its own infotext, or from the WebUI's interrogator."""

from __future__ import annotations

from typing import Any

from PIL import Image

from lib_instantstyle.errors import InstantStyleError
from lib_instantstyle.params.controls import quoted
from lib_instantstyle.pictures.decoding import load_picture, open_picture
from lib_instantstyle.pictures.formats import DECODE_ERRORS
from lib_instantstyle.webui.encoding.content_words import content_words


def caption(picture: Any, name: str) -> str:
    """Return words for the content of ``picture``, from its own prompt or else from the interrogator.

    Empty if there is no picture. ``name`` is what messages call it.

    Raises:
        InstantStyleError: If the picture cannot be read, or there is no interrogator, or it fails or finds no content.
    """
    image = open_picture(picture, name=name)
    return "" if image is None else _prompt_subject(image) or _interrogated(image, name)


def _prompt_subject(image: Image.Image) -> str:
    from modules import extra_networks

    prompt = _own_parameters(image).get("Prompt", "")
    without_tags, _ = extra_networks.parse_prompt(prompt)
    return content_words(without_tags)


def _own_parameters(image: Image.Image) -> dict[str, Any]:
    """Return the generation parameters in ``image``; none of a comment that cameras and programs write there."""
    from modules import images
    from modules.infotext_utils import parse_generation_parameters

    try:
        image.load()  # notes may stand behind the pixels
        text, _ = images.read_info_from_image(image)
        found: dict[str, Any] = parse_generation_parameters(text) if text else {}
    except DECODE_ERRORS:  # notes that the host cannot parse
        return {}
    is_made = str(found.get("Steps", "")).isdigit() and ("Sampler" in found or "Seed" in found)
    return found if is_made else {}


def _interrogated(image: Image.Image, name: str) -> str:
    from modules import shared

    if shared.interrogator is None:  # Forge Classic
        raise InstantStyleError("This WebUI has no interrogator (CLIP). Write the content yourself.", 503)
    picture = load_picture(image, name=name)
    words: str = shared.interrogator.interrogate(picture.image) if picture else ""
    if "<error>" in words:
        raise InstantStyleError(
            "The WebUI's interrogator (CLIP) failed; its reason is in the console. Write the content yourself.", 503
        )
    found = content_words(words)
    if picture and not found:
        raise InstantStyleError(
            f"The WebUI's interrogator saw no content: {quoted(words)}. Write the content yourself.", 503
        )
    return found
