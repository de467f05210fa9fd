"""ICC profiles of displays and cameras, and colours as pictures with such a profile store them."""

from __future__ import annotations

import struct

import numpy as np

# The colorants' columns X, Y, Z under D50, and the exponent of the curve.
SPACES = {
    "Adobe RGB": (((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)), 2.19921875),
    "Display P3": (((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)), 2.2),
    "ProPhoto": (((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00008, 0.82491)), 1.8),
}
_SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
_WHITE = (0.9642, 1.0, 0.8249)


def stored(colour: tuple[int, int, int], space: str) -> tuple[int, ...]:
    """Return the values that stand for an sRGB ``colour`` in a picture of another colour space."""
    columns, exponent = SPACES[space]
    values = np.array(colour) / 255
    light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    own = np.linalg.solve(np.array(columns).T, np.array(_SRGB).T @ light)
    return tuple(int(value) for value in (own.clip(0, 1) ** (1 / exponent) * 255).round())


def profile(space: str) -> bytes:
    """Return the ICC profile of a colour space."""
    columns, exponent = SPACES[space]
    colorants = {name: _xyz(column) for name, column in zip(("rXYZ", "gXYZ", "bXYZ"), columns, strict=True)}
    curves = dict.fromkeys(("rTRC", "gTRC", "bTRC"), _curve(exponent))
    return _file(b"RGB ", {"wtpt": _xyz(_WHITE), **colorants, **curves})


def grey_profile(exponent: float) -> bytes:
    """Return the ICC profile of greys with another curve than sRGB's."""
    return _file(b"GRAY", {"wtpt": _xyz(_WHITE), "kTRC": _curve(exponent)})


def _file(space: bytes, tags: dict[str, bytes]) -> bytes:
    tags = {"desc": _text("made for a test"), "cprt": b"text\0\0\0\0none\0", **tags}
    table, content, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        table += name.encode() + struct.pack(">II", start + len(content), len(data))
        content += data + b"\0" * (-len(data) % 4)
    date = struct.pack(">6H", 2024, 1, 1, 0, 0, 0)
    head = b"\0\0\0\0" + struct.pack(">I", 0x02100000) + b"mntr" + space + b"XYZ " + date + b"acsp"
    head = head.ljust(64, b"\0") + struct.pack(">3i", *(round(part * 65536) for part in _WHITE))
    body = head.ljust(124, b"\0") + table + content
    return struct.pack(">I", len(body) + 4) + body


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _curve(exponent: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(exponent * 256)) + b"\0\0"


def _text(text: str) -> bytes:
    return b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text.encode() + b"\0" * 80
