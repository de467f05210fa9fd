"""Words for what a reference shows: from its own infotext, or from the WebUI's interrogator."""

from __future__ import annotations

import re

from PIL import Image

from lib_instantstyle.errors import InstantStyleError
from lib_instantstyle.pictures.decoding import load_picture

_MAX_WORDS = 12  # a removal vector of a whole prompt says nothing in particular


def caption(image: Image.Image) -> str:
    """Return words for the content of ``image``: the first phrase of its own prompt, else the interrogator's.

    Raises:
        InstantStyleError: If the interrogator fails.
    """
    return _prompt_subject(image) or _interrogated(image)


def _prompt_subject(image: Image.Image) -> str:
    from modules import extra_networks, images
    from modules.infotext_utils import parse_generation_parameters

    text, _ = images.read_info_from_image(image)
    prompt = parse_generation_parameters(text).get("Prompt", "") if text else ""
    without_tags, _ = extra_networks.parse_prompt(prompt)
    return _first_phrase(without_tags)


def _interrogated(image: Image.Image) -> str:
    from modules import shared

    picture = load_picture(image)
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
