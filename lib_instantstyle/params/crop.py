"""How a reference that is not square is shown to the encoder; `pictures.crops` makes the views."""

from enum import Enum


class Crop(str, Enum):
    """How a picture becomes square. The value is the label that users see."""

    CENTRE = "Centre"
    SQUASH = "Squash"
    PAD = "Pad"
    TILES = "Tiles"
