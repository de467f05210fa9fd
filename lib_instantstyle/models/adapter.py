"""IP-Adapter files: recognised by keys and shapes, never by name; only what is planned is read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from lib_instantstyle.errors import AdapterError
from lib_instantstyle.models.tensor_file import TensorFile, TensorFileError, failing_as, state_of
from lib_instantstyle.models.towers import BIGG_WIDTH, Tower, by_hidden, by_projection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import torch

_MATRIX = re.compile(r"ip_adapter\.([0-9]{1,6})\.to_([kv])_ip\.weight")
_OTHER_KINDS = {
    "ip_adapter.0.to_q_lora.down.weight": "a FaceID adapter",
    "image_proj.perceiver_resampler.proj_in.weight": "a FaceID Plus adapter",
    "image_proj.proj.3.weight": "a full-face adapter",
    "image_proj.proj.0.weight": "a FaceID adapter",
}


class OtherFamily(NamedTuple):
    """A model family other than SDXL: what messages call its adapters and its checkpoints."""

    adapter: str
    checkpoint: str


OTHER_FAMILIES = {  # by the width of their text context; SDXL's is 2048
    768: OtherFamily("Stable Diffusion 1.5", "a Stable Diffusion 1.x model"),
    1024: OtherFamily("Stable Diffusion 2", "a Stable Diffusion 2.x model"),
    1280: OtherFamily("the SDXL refiner", "the SDXL refiner"),
}


class Kind(str, Enum):
    """How an adapter turns the encoder's output into tokens."""

    LINEAR = "linear"  # a linear projection of the pooled embedding
    PLUS = "plus"  # a Resampler of the patch features


@dataclass(frozen=True)
class Adapter:
    """A recognised adapter file."""

    path: Path
    kind: Kind
    embedding_width: int  # of the encoder output it reads: projection (1280 bigG, 1024 ViT-H), for Plus the hidden size
    context_width: int  # of its tokens, which is the width of the UNet's text context
    tokens: int  # number of image tokens
    widths: Mapping[int, int] = field(repr=False)  # output width of each K/V pair, by its id
    _file: TensorFile = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """File name without the suffix."""
        return self.path.stem

    @property
    def bytes(self) -> int:
        """Size of the file when it was recognised."""
        return self._file.bytes

    @property
    def fingerprint(self) -> str:
        """Changes whenever the file does; part of the keys of cached results.

        Raises:
            AdapterError: If the file is gone.
        """
        with failing_as(_unreadable):
            state = state_of(self.path)
        return f"{self.path}:{state}"

    @property
    def removes_content(self) -> bool:
        """Whether SDXL's own text tower shares this adapter's embedding space."""
        return self.shares_space(BIGG_WIDTH)

    def shares_space(self, text_width: int) -> bool:
        """Whether text vectors with ``text_width`` dimensions can be subtracted from its embeddings."""
        return self.has_text_space and self.embedding_width == text_width

    @property
    def has_text_space(self) -> bool:
        """Whether it reads embeddings of CLIP's joint text-image space; Plus adapters read patch features."""
        return self.kind is Kind.LINEAR

    @property
    def tower(self) -> Tower | None:
        """The vision tower it was made for, None if unknown."""
        return (by_projection if self.kind is Kind.LINEAR else by_hidden)(self.embedding_width)

    def read_projection(self) -> dict[str, torch.Tensor]:
        """Read the image projection's weights; their keys lose the prefix ``image_proj.``."""
        prefix = "image_proj."
        keys = [key for key in self._file.shapes if key.startswith(prefix)]
        return {key[len(prefix) :]: tensor for key, tensor in self._stream(keys)}

    def read_matrices(self, ids: Iterable[int]) -> Iterator[tuple[int, tuple[torch.Tensor, torch.Tensor]]]:
        """Read the K and V matrices ``[width, context]`` of the sites ``ids``, one site at a time."""
        numbers = list(ids)
        tensors = self._stream(f"ip_adapter.{number}.to_{part}_ip.weight" for number in numbers for part in "kv")
        for number in numbers:
            (_, key), (_, value) = next(tensors), next(tensors)
            yield number, (key, value)

    def _stream(self, keys: Iterable[str]) -> Iterator[tuple[str, torch.Tensor]]:
        with failing_as(_unreadable):
            yield from self._file.stream(keys)


def _unreadable(error: TensorFileError) -> AdapterError:
    return AdapterError(f"{error}. Download the adapter again.")


def open_adapter(path: Path) -> Adapter:
    """Recognise the adapter file at ``path``.

    Raises:
        AdapterError: If it is unreadable or incomplete, no IP-Adapter, or made for another model or for faces.
    """
    with failing_as(_unreadable):
        file = TensorFile(path)
    return adapter_in(file)


def looks_like_adapter(file: TensorFile) -> bool:
    """Whether ``file`` is an IP-Adapter of some kind, usable or not."""
    return any(key.startswith("ip_adapter.") for key in file.shapes)


def adapter_in(file: TensorFile) -> Adapter:
    """Recognise the adapter in an opened file.

    Raises:
        AdapterError: If it is incomplete, no IP-Adapter, or made for another model or for faces.
    """
    path = file.path
    _refuse_other_kinds(file)
    matrices = _matrices(path, file.shapes)
    kind, embedding_width, tokens, context_width = _projection(path, file.shapes)
    _refuse_other_models(path, {shape[1] for shape in matrices.values()}, context_width)
    widths = {number: shape[0] for (number, _), shape in matrices.items()}
    return Adapter(path, kind, embedding_width, context_width, tokens, widths, file)


def _refuse_other_kinds(file: TensorFile) -> None:
    for key, label in _OTHER_KINDS.items():
        if key in file.shapes:
            raise AdapterError(f"{file.path.name} is {label}, not a style adapter. Use ip-adapter_sdxl or its kin.")
    if not looks_like_adapter(file):
        raise AdapterError(f"{file.path.name} is not an IP-Adapter: it has no key that begins with 'ip_adapter.'.")


def _matrices(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[tuple[int, str], tuple[int, ...]]:
    found = {(int(match[1]), match[2]): shape for key, shape in shapes.items() if (match := _MATRIX.fullmatch(key))}
    count = (len(found) + 1) // 2  # not by the largest number, which may be anything in a damaged file
    expected = {(2 * index + 1, part) for index in range(count) for part in "kv"}
    if not found or set(found) != expected:
        odd = sorted(expected.symmetric_difference(found))[:3]
        raise AdapterError(
            f"{path.name} is incomplete: its K and V matrices do not pair up at {odd}. Download it again."
        )
    if any(len(shape) != 2 or shape != found[number, "k"] for (number, _), shape in found.items()):
        raise AdapterError(f"{path.name} is damaged: K and V matrices differ in shape. Download it again.")
    return found


def _projection(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> tuple[Kind, int, int, int]:
    """Return kind, embedding width, number of tokens and context width."""
    try:
        if "image_proj.latents" in shapes:
            tokens = shapes["image_proj.latents"][1]
            return Kind.PLUS, shapes["image_proj.proj_in.weight"][1], tokens, shapes["image_proj.proj_out.weight"][0]
        outputs, embedding_width = shapes["image_proj.proj.weight"]
        context_width = shapes["image_proj.norm.weight"][0]
        return Kind.LINEAR, embedding_width, outputs // context_width, context_width
    except (KeyError, IndexError, ValueError, ZeroDivisionError) as error:
        raise AdapterError(
            f"{path.name} has an image projection of an unknown kind. Use ip-adapter_sdxl, ip-adapter_sdxl_vit-h or "
            "ip-adapter-plus_sdxl_vit-h."
        ) from error


def _refuse_other_models(path: Path, matrix_contexts: set[int], context_width: int) -> None:
    if matrix_contexts != {context_width}:
        raise AdapterError(
            f"{path.name} is damaged: its projection makes tokens {context_width} wide, its matrices read "
            f"{sorted(matrix_contexts)}. Download it again."
        )
    if context_width in OTHER_FAMILIES:
        raise AdapterError(
            f"{path.name} is an adapter for {OTHER_FAMILIES[context_width].adapter} (tokens {context_width} wide, SDXL "
            "has 2048). Use an SDXL adapter, such as ip-adapter_sdxl."
        )
