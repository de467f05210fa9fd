"""The CLIP vision tower in memory, from transformers: loading, encoding pictures, moving off the device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from lib_instantstyle.errors import EncoderError
from lib_instantstyle.models.adapter import Kind
from lib_instantstyle.models.encoder_file import read_config
from lib_instantstyle.models.tensor_file import TensorFile, TensorFileError
from lib_instantstyle.models.towers import by_hidden
from lib_instantstyle.params.declared import Crop
from lib_instantstyle.pictures.crops import views

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL import Image

    from lib_instantstyle.models.encoder_file import EncoderFile

    Shapes = Mapping[str, tuple[int, ...]]

_SIZES = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "image_size", "patch_size")
_LARGEST = 32_768  # four times the widest layer of ViT-bigG
# What a damaged file or configuration raises while the model is built and filled.
_UNUSABLE = (TensorFileError, RuntimeError, LookupError, TypeError, ValueError, ArithmeticError)


class VisionTower:
    """A loaded vision tower: in half precision on accelerators, in single precision on the CPU.

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
        """Move to ``device``, where it encodes."""
        self._model.to(self.device, torch.float32 if self.device.type == "cpu" else torch.float16)

    def rest(self) -> None:
        """Move to the CPU's memory, in the file's precision, until it is needed again."""
        self._model.to("cpu", self._stored)

    @torch.no_grad()
    def encode(self, image: Image.Image, kind: Kind, crop: Crop = Crop.CENTRE) -> torch.Tensor:
        """Encode the square views of ``image``.

        Returns:
            float32 on the CPU, for ``LINEAR`` ``[views, projection]``, for ``PLUS`` ``[views, patches + 1, hidden]``.

        Raises:
            EncoderError: If the tower answers with NaN or infinity.
        """
        squares = views(image, crop, self._model.config.image_size)
        return self._encode_pixels(self._processor(images=squares, return_tensors="pt").pixel_values, kind)

    @torch.no_grad()
    def encode_nothing(self) -> torch.Tensor:
        """Return the hidden states ``[1, patches + 1, hidden]`` of zero pixels: "no picture" for ``PLUS`` adapters.

        They were trained so: IP-Adapter drops 5 % of the images (https://arxiv.org/abs/2308.06721). Linear adapters
        get the zero embedding instead.
        """
        size = self._model.config.image_size
        return self._encode_pixels(torch.zeros(1, 3, size, size), Kind.PLUS)

    def _encode_pixels(self, pixels: torch.Tensor, kind: Kind) -> torch.Tensor:
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
    if file.config is not None:
        try:
            vision = read_config(file.config)
            return _checked(CLIPVisionConfig(**{**vision, "projection_dim": file.projection_width}))
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise EncoderError(
                f"{file.config.name} of the image encoder {file.path.name} is damaged: {error}"
            ) from error
    return _config_from_shapes(file, shapes)


def _checked(config: CLIPVisionConfig) -> CLIPVisionConfig:
    """Refuse numbers that build a model which then fails on its first picture."""
    sizes = [getattr(config, name) for name in _SIZES]
    if not all(isinstance(size, int) and 0 < size <= _LARGEST for size in sizes):
        raise ValueError(f"{', '.join(_SIZES)} must be numbers from 1 to {_LARGEST}")
    if not isinstance(config.layer_norm_eps, float):
        raise TypeError("layer_norm_eps must be a number")
    return config


def _config_from_shapes(file: EncoderFile, shapes: Shapes) -> CLIPVisionConfig:
    tower = by_hidden(file.hidden_width)
    if tower is None or file.problem:
        raise EncoderError(file.problem)
    patch = shapes["vision_model.embeddings.patch_embedding.weight"][2]
    positions = shapes["vision_model.embeddings.position_embedding.weight"][0]
    return CLIPVisionConfig(
        hidden_size=file.hidden_width,
        intermediate_size=shapes["vision_model.encoder.layers.0.mlp.fc1.weight"][0],
        projection_dim=file.projection_width,
        num_hidden_layers=len({key.split(".")[3] for key in shapes if key.startswith("vision_model.encoder.layers.")}),
        num_attention_heads=tower.heads,
        image_size=patch * round((positions - 1) ** 0.5),
        patch_size=patch,
        hidden_act=tower.activation,
    )
