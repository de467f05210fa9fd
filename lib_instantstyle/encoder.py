"""The CLIP vision tower: recognise, load, look at a picture, and leave. Through transformers; no host."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from lib_instantstyle.checkpoint import Adapter, Kind
from lib_instantstyle.crops import Crop, views
from lib_instantstyle.errors import EncoderError
from lib_instantstyle.tensorfile import TensorFile, TensorFileError, failing_as, state_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from PIL import Image

    from lib_instantstyle.catalogue import ModelSet

    Shapes = Mapping[str, tuple[int, ...]]

_CLASS_EMBEDDING = "vision_model.embeddings.class_embedding"
_PROJECTION = "visual_projection.weight"
_SIZES = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "image_size", "patch_size")
_LARGEST = 32_768  # four times the widest layer of ViT-bigG
# What a damaged file or configuration leads to while the model is built and filled.
_UNUSABLE = (TensorFileError, RuntimeError, LookupError, TypeError, ValueError, ArithmeticError)
_WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
# A single file carries no configuration. Everything but the head count shows in its shapes.
_HEADS = {1664: 16, 1280: 16, 1024: 16, 768: 12}
_DOWNLOADS = {
    (Kind.LINEAR, 1280): "OpenCLIP ViT-bigG-14 (h94/IP-Adapter, folder sdxl_models/image_encoder)",
    (Kind.LINEAR, 1024): "OpenCLIP ViT-H-14 (h94/IP-Adapter, folder models/image_encoder)",
    (Kind.PLUS, 1280): "OpenCLIP ViT-H-14 (h94/IP-Adapter, folder models/image_encoder)",
}


@dataclass(frozen=True)
class EncoderFile:
    """A recognised vision tower on disk.

    Attributes:
        path: Folder with ``config.json``, or a single file.
        weights: The file that holds the tensors.
        hidden_width: Width of its hidden states.
        projection_width: Width of the space it shares with text.
    """

    path: Path
    weights: Path
    hidden_width: int
    projection_width: int

    def suits(self, adapter: Adapter | ModelSet) -> bool:
        """Whether ``adapter``, here or only known of, can read this tower's output."""
        width = self.projection_width if adapter.kind is Kind.LINEAR else self.hidden_width
        return width == adapter.embedding_width

    @property
    def fingerprint(self) -> str:
        """Changes whenever the file does; part of the key of cached embeddings.

        Raises:
            EncoderError: If the file is gone.
        """
        with failing_as(_unreadable):
            state = state_of(self.weights)
        return f"{self.weights.name}:{state}:{self.hidden_width}"


def open_encoder(path: Path) -> EncoderFile:
    """Recognise the vision tower in the folder or file ``path`` without reading its weights.

    Raises:
        EncoderError: If it is none, or cannot be read.
    """
    weights = path if path.is_file() else _weights_in(path)
    with failing_as(_unreadable):
        shapes = TensorFile(weights).shapes
    if not shapes.get(_CLASS_EMBEDDING) or not shapes.get(_PROJECTION):
        raise EncoderError(f"{path.name} is not a CLIP vision tower with projection (no {_PROJECTION}).")
    return EncoderFile(path, weights, shapes[_CLASS_EMBEDDING][0], shapes[_PROJECTION][0])


def _unreadable(error: TensorFileError) -> EncoderError:
    return EncoderError(f"Image encoder: {error}. Download it again.")


def _weights_in(folder: Path) -> Path:
    for name in _WEIGHT_FILES:
        if (folder / name).is_file():
            return folder / name
    raise EncoderError(f"The image encoder folder {folder.name} holds neither {' nor '.join(_WEIGHT_FILES)}.")


def first_suitable(adapter: Adapter, encoders: Sequence[EncoderFile]) -> EncoderFile | None:
    """Return the first tower that ``adapter`` can read, None if there is none."""
    return next((encoder for encoder in encoders if encoder.suits(adapter)), None)


def choose_encoder(adapter: Adapter, encoders: Sequence[EncoderFile]) -> EncoderFile:
    """Return the first tower that ``adapter`` can read.

    Raises:
        EncoderError: If there is none, naming what to download.
    """
    if encoder := first_suitable(adapter, encoders):
        return encoder
    needed = _DOWNLOADS.get((adapter.kind, adapter.embedding_width), "another image encoder")
    found = ", ".join(f"{encoder.path.name} ({encoder.projection_width})" for encoder in encoders) or "none"
    raise EncoderError(
        f"The adapter {adapter.name} needs an image encoder with {adapter.embedding_width}-wide "
        f"{'embeddings' if adapter.kind is Kind.LINEAR else 'hidden states'}: {needed}. Press Get models in "
        f"InstantStyle's tab Models, or put it into models/clip_vision or models/InstantStyle. Found: {found}."
    )


class VisionTower:
    """A loaded vision tower. Half precision on accelerators, single on the CPU.

    Attributes:
        file: What it was read from.
        device: Where it looks; between looks it may `rest`.

    Raises:
        EncoderError: If the weights do not form a CLIP vision tower.
    """

    def __init__(self, file: EncoderFile, device: torch.device) -> None:
        self.file = file
        self.device = device
        self._model = _load_model(file).eval().requires_grad_(False)
        self._stored = self._model.dtype
        self.wake()
        size = self._model.config.image_size
        self._processor = CLIPImageProcessor(size={"shortest_edge": size}, crop_size={"height": size, "width": size})

    def wake(self) -> None:
        """Come to the device."""
        self._model.to(self.device, torch.float32 if self.device.type == "cpu" else torch.float16)

    def rest(self) -> None:
        """Leave the device for the CPU's memory, in the precision of the file."""
        self._model.to("cpu", self._stored)

    @torch.no_grad()
    def encode(self, image: Image.Image, kind: Kind, crop: Crop = Crop.CENTRE) -> torch.Tensor:
        """Look at ``image`` through its square views.

        Returns:
            float32 on the CPU, for ``LINEAR`` ``[views, projection]``, for ``PLUS`` ``[views, patches + 1, hidden]``.

        Raises:
            EncoderError: If the tower answers with NaN or infinity.
        """
        squares = views(image, crop, self._model.config.image_size)
        pixels = self._processor(images=squares, return_tensors="pt").pixel_values
        return self._look(pixels, kind)

    @torch.no_grad()
    def encode_nothing(self) -> torch.Tensor:
        """Return the hidden states ``[1, patches + 1, hidden]`` of zero pixels: "no picture" for ``PLUS`` adapters.

        So they were trained (IP-Adapter, image dropped with 5 %); linear ones see the zero embedding instead.
        """
        size = self._model.config.image_size
        return self._look(torch.zeros(1, 3, size, size), Kind.PLUS)

    def _look(self, pixels: torch.Tensor, kind: Kind) -> torch.Tensor:
        embedding = self._forward(pixels, kind)
        if self._model.dtype is torch.float16 and not torch.isfinite(embedding).all():
            self._model.float()  # some GPUs overflow in half precision, which is why WebUIs have --no-half
            embedding = self._forward(pixels, kind)
        if not torch.isfinite(embedding).all():
            raise EncoderError(
                f"The image encoder {self.file.path.name} answered with NaN: its file is damaged. Download it again."
            )
        return embedding

    def _forward(self, pixels: torch.Tensor, kind: Kind) -> torch.Tensor:
        plus = kind is Kind.PLUS
        output = self._model(pixels.to(self._model.device, self._model.dtype), output_hidden_states=plus)
        chosen: torch.Tensor = output.hidden_states[-2] if plus else output.image_embeds
        return chosen.float().cpu()


def _load_model(file: EncoderFile) -> CLIPVisionModelWithProjection:
    try:
        return _filled_model(file, TensorFile(file.weights))
    except _UNUSABLE as error:
        raise EncoderError(
            f"The image encoder {file.path.name} cannot be loaded: {error}. Download it again."
        ) from error


def _filled_model(file: EncoderFile, tensors: TensorFile) -> CLIPVisionModelWithProjection:
    config = _config(file, tensors.shapes)
    wanted = [key for key in tensors.shapes if key.startswith(("vision_model.", "visual_projection."))]
    with torch.device("meta"):  # no time spent on random weights
        model = CLIPVisionModelWithProjection(config)
    model.vision_model.embeddings.position_ids = torch.arange(model.vision_model.embeddings.num_positions)[None]
    weights = {key: tensor for key, tensor in tensors.read(wanted).items() if not key.endswith("position_ids")}
    mismatch = model.load_state_dict(weights, strict=False, assign=True)
    missing = [key for key in mismatch.missing_keys if not key.endswith("position_ids")]
    if missing or mismatch.unexpected_keys:
        raise EncoderError(
            f"The image encoder {file.path.name} is damaged: missing {sorted(missing)[:3]}, "
            f"unexpected {sorted(mismatch.unexpected_keys)[:3]}. Download it again."
        )
    return model


def _config(file: EncoderFile, shapes: Shapes) -> CLIPVisionConfig:
    beside = file.weights.parent / "config.json"
    if file.path.is_dir() and beside.is_file():
        try:
            values = json.loads(beside.read_text(encoding="utf-8"))
            vision = values.get("vision_config", values)
            return _checked(CLIPVisionConfig(**{**vision, "projection_dim": file.projection_width}))
        except (ValueError, TypeError, AttributeError) as error:
            raise EncoderError(f"{beside.name} of the image encoder {file.path.name} is damaged: {error}") from error
    return _config_from_shapes(file, shapes)


def _checked(config: CLIPVisionConfig) -> CLIPVisionConfig:
    """Refuse numbers from which a model can be built that cannot look."""
    sizes = [getattr(config, name) for name in _SIZES]
    if not all(isinstance(size, int) and 0 < size <= _LARGEST for size in sizes):
        raise ValueError(f"{', '.join(_SIZES)} must be numbers from 1 to {_LARGEST}")
    if not isinstance(config.layer_norm_eps, float):
        raise TypeError("layer_norm_eps must be a number")
    return config


def _config_from_shapes(file: EncoderFile, shapes: Shapes) -> CLIPVisionConfig:
    if file.hidden_width not in _HEADS:
        raise EncoderError(
            f"The image encoder {file.path.name} is {file.hidden_width} wide, which fits no known ViT. Put it into a "
            "folder together with its config.json."
        )
    patch = shapes["vision_model.embeddings.patch_embedding.weight"][2]
    positions = shapes["vision_model.embeddings.position_embedding.weight"][0]
    return CLIPVisionConfig(
        hidden_size=file.hidden_width,
        intermediate_size=shapes["vision_model.encoder.layers.0.mlp.fc1.weight"][0],
        projection_dim=file.projection_width,
        num_hidden_layers=_layer_count(shapes),
        num_attention_heads=_HEADS[file.hidden_width],
        image_size=patch * round((positions - 1) ** 0.5),
        patch_size=patch,
        hidden_act="gelu",
    )


def _layer_count(shapes: Shapes) -> int:
    prefix = "vision_model.encoder.layers."
    return len({key[len(prefix) :].split(".")[0] for key in shapes if key.startswith(prefix)})
