"""The header of a ``.safetensors`` file: the names and shapes of its tensors, without reading a tensor."""

from __future__ import annotations

import json
import math
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_LENGTH_BYTES = 8
_LARGEST = 100_000_000  # bytes of a header, as the format allows
_ITEM_BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64"), 8),
}


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors in the file at ``path`` by their names.

    safetensors tells them too, but goes through all names for each shape.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If the header is damaged, or the file is longer or shorter than its header says.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        if not 0 < length <= min(_LARGEST, size - _LENGTH_BYTES):
            raise ValueError("it is cut off, or no .safetensors file")
        header = file.read(length)
    try:
        entries = json.loads(header.decode("utf-8"))
        tensors = {name: entry for name, entry in entries.items() if name != "__metadata__"}
        shapes = {name: _shape(entry) for name, entry in tensors.items()}
        end = max((entry["data_offsets"][1] for entry in tensors.values()), default=0)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise ValueError("its header is damaged, or it is no .safetensors file") from error
    if end != size - _LENGTH_BYTES - length:
        raise ValueError(f"its tensors end at byte {end + _LENGTH_BYTES + length}, the file at byte {size}")
    return shapes


def _shape(entry: Any) -> tuple[int, ...]:
    """Return a tensor's shape; ValueError if its bytes are not as many as it needs."""
    shape, (start, end), item = tuple(entry["shape"]), entry["data_offsets"], _ITEM_BYTES.get(entry["dtype"])
    are_numbers = all(type(number) is int and number >= 0 for number in (*shape, start, end))
    if not are_numbers or start > end or (item and end - start != item * math.prod(shape)):
        raise ValueError
    return shape
