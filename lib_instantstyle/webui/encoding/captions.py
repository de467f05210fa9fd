"""Words for what a reference shows: from its own infotext, or from the WebUI's interrogator."""

from __future__ import annotations

import re
from typing import Any

from PIL import Image

from lib_instantstyle.errors import InstantStyleError
from lib_instantstyle.pictures.decoding import load_picture, open_picture
from lib_instantstyle.pictures.formats import DECODE_ERRORS

_MAX_WORDS = 12  # a removal vector of a whole prompt says nothing in particular


def caption(picture: Any, name: str) -> str:
    """Return words for the content of ``picture``: the first phrase of its own prompt, else the interrogator's.

    Empty if there is no picture. ``name`` is what messages call it.

    Raises:
        InstantStyleError: If the picture cannot be read, or there is no interrogator, or it fails.
    """
    image = open_picture(picture, name=name)
    return "" if image is None else _prompt_subject(image) or _interrogated(image, name)


def _prompt_subject(image: Image.Image) -> str:
    from modules import extra_networks

    prompt = _own_parameters(image).get("Prompt", "")
    without_tags, _ = extra_networks.parse_prompt(prompt)
    return _first_phrase(without_tags)


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
    return _first_phrase(words)


def _first_phrase(text: str) -> str:
    """Return the first phrase of a prompt, without the brackets and weights of emphasis."""
    plain = re.sub(r":\s*[\d.]+(?=\s*[)\]])|[()\[\]{}\\]", "", text)
    phrase = next((part.strip() for part in re.split(r"[,\n]|\bBREAK\b|\bAND\b", plain) if part.strip()), "")
    return " ".join(phrase.split()[:_MAX_WORDS])
