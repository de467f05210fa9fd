"""The button that describes a picture. The stand-in knows colours and light only."""

from __future__ import annotations

import colorsys
import os

import numpy as np
from PIL import Image

from modules import errors, shared

_HUES = ("red", "yellow", "green", "cyan", "blue", "magenta")
_GREY = 0.15  # saturation
_SLOPE = 0.05  # difference of brightness between halves that counts as light from one side
FAILING = "STAND_IN_INTERROGATE_FAILS"  # environment variable


class InterrogateModels:
    """Describes pictures. A failure is reported and becomes ``<error>`` at the end of the answer."""

    def __init__(self, content_dir: str) -> None:
        self.content_dir = content_dir

    def interrogate(self, pil_image: Image.Image) -> str:
        description = ""
        shared.state.begin(job="interrogate")
        try:
            self.load()
            description = describe(pil_image)
        except Exception:  # noqa: BLE001  the contract: callers get a text
            errors.report("Error interrogating", exc_info=True)
            description += "<error>"
        shared.state.end()
        return description

    def load(self) -> None:
        """Do nothing, or fail as the host does where it cannot download its models."""
        if os.environ.get(FAILING):
            raise OSError("the model that describes pictures cannot be downloaded")


def describe(image: Image.Image) -> str:
    """Return the main colour, and from where the light comes."""
    pixels = np.asarray(image.convert("RGB").resize((16, 16)), dtype=np.float32) / 255
    return f"a mostly {_colour(*pixels.mean((0, 1)))} picture, {_light(pixels.mean(2))}"


def _colour(red: float, green: float, blue: float) -> str:
    hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
    if saturation >= _GREY:
        return _HUES[round(hue * len(_HUES)) % len(_HUES)]
    return "white" if value > 0.75 else "black" if value < 0.25 else "grey"


def _light(brightness: np.ndarray) -> str:
    half = len(brightness) // 2
    down = float(brightness[:half].mean() - brightness[half:].mean())
    right = float(brightness[:, :half].mean() - brightness[:, half:].mean())
    if max(abs(down), abs(right)) < _SLOPE:
        return "evenly lit"
    if abs(down) >= abs(right):
        return "lit from above" if down > 0 else "lit from below"
    return "lit from the left" if right > 0 else "lit from the right"
