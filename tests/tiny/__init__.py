"""Tiny, seeded, random models in the real layouts: `python -m tests.tiny OUT`.

``OUT`` becomes a WebUI models folder: ``Stable-diffusion``, ``InstantStyle``, ``clip_vision``, and beside them
``tokenizer``, ``open_clip`` and ``pictures``; for a real WebUI also ``Lora``, ``embeddings``, ``hypernetworks`` and
``ControlNet``. Nothing is downloaded. Pictures made with these models are noise, but every block, adapter and encoder
takes part as in the real ones.

The real WebUI builds SDXL's second text tower through open_clip, which must know the tiny architecture:
copy ``OUT/open_clip/tiny-bigG.json`` into the folder ``model_configs`` of the installed open_clip.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.tiny import adapters, checkpoints, configs, networks
from tests.tiny.pictures import write_pictures
from tests.tiny.tokenizer import write_tokenizer
from tests.tiny.unet import SDXL_WIDE


@dataclass(frozen=True)
class TinyModels:
    """Where everything is, below ``root``."""

    root: Path

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.root / "Stable-diffusion"

    @property
    def adapters(self) -> Path:
        """Folder of the adapters."""
        return self.root / "InstantStyle"

    @property
    def encoders(self) -> Path:
        """Folder of the vision towers."""
        return self.root / "clip_vision"

    @property
    def pictures(self) -> Path:
        """Folder of the reference pictures."""
        return self.root / "pictures"


@dataclass(frozen=True)
class Part:
    """What is written together.

    Attributes:
        last: The file that is written last, below the root: where it is, the part is complete.
        write: Writes the part.
    """

    last: str
    write: Callable[[TinyModels], object]


def _adapter(name: str, shapes: Callable[[], adapters.Shapes], seed: int) -> Part:
    return Part(
        f"InstantStyle/{name}.bin", lambda models: adapters.write_adapter(models.adapters, name, shapes(), seed)
    )


def _encoder(name: str, sizes: dict[str, int], seed: int) -> Part:
    return Part(
        f"clip_vision/{name}/model.safetensors",
        lambda models: adapters.write_encoder(models.encoders / name, sizes, seed),
    )


def _checkpoint(name: str, write: Callable[[Path], Path]) -> Part:
    return Part(f"Stable-diffusion/{name}.yaml", lambda models: write(models.checkpoints))


PARTS = {
    "tiny-sdxl": _checkpoint("tiny-sdxl", checkpoints.write_sdxl),
    "ip-adapter_sdxl": _adapter("ip-adapter_sdxl", lambda: adapters.linear_shapes(1280), seed=11),
    "ip-adapter_sdxl_vit-h": _adapter("ip-adapter_sdxl_vit-h", lambda: adapters.linear_shapes(1024), seed=12),
    "ip-adapter-plus_sdxl_vit-h": _adapter(
        "ip-adapter-plus_sdxl_vit-h", lambda: adapters.plus_shapes(adapters.VIT_H["hidden_size"]), seed=13
    ),
    "tiny-bigG": _encoder("tiny-bigG", adapters.BIGG, seed=21),
    "tiny-vit-h": _encoder("tiny-vit-h", adapters.VIT_H, seed=22),
}
OTHER_CHECKPOINTS = {
    "tiny-sdxl-b": _checkpoint("tiny-sdxl-b", lambda folder: checkpoints.write_sdxl(folder, "tiny-sdxl-b", seed=7)),
    "tiny-refiner": _checkpoint("tiny-refiner", checkpoints.write_refiner),
    "tiny-sd15": _checkpoint("tiny-sd15", checkpoints.write_sd15),
    "tiny-sdxl-v": _checkpoint("tiny-sdxl-v", checkpoints.write_sdxl_v),
}


def _network(last: str, shapes: Callable[[], adapters.Shapes], seed: int) -> Part:
    return Part(last, lambda models: networks.write_network(models.root / last, shapes(), seed))


# For a real WebUI: the stand-in has no use for these. The embedding's name must be one letter, the only kind of word to
# which both tiny tokenizers give the same number.
FOR_REAL_WEBUIS = {
    "tiny-lora": _network("Lora/tiny-lora.safetensors", networks.lora_shapes, seed=31),
    "tiny-lora-text": _network("Lora/tiny-lora-text.safetensors", networks.text_lora_shapes, seed=32),
    "q": _network("embeddings/q.safetensors", networks.embedding_shapes, seed=33),
    "tiny-hypernetwork": Part(
        "hypernetworks/tiny-hypernetwork.pt",
        lambda models: networks.write_hypernetwork(models.root / "hypernetworks" / "tiny-hypernetwork.pt"),
    ),
    "tiny-t2i-adapter-sdxl": _network(
        "ControlNet/tiny-t2i-adapter-sdxl.safetensors", networks.t2i_adapter_shapes, seed=37
    ),
    "tiny-lllite-sdxl": _network("ControlNet/tiny-lllite-sdxl.safetensors", networks.lllite_shapes, seed=38),
    "tiny-sdxl-wide": _checkpoint("tiny-sdxl-wide", checkpoints.write_sdxl_wide),
    "ip-adapter_sdxl_wide": _adapter("ip-adapter_sdxl_wide", lambda: adapters.linear_shapes(1280, SDXL_WIDE), seed=14),
}
ALL = PARTS | OTHER_CHECKPOINTS | FOR_REAL_WEBUIS


def write_parts(root: Path, names: Iterable[str], *, force: bool = False) -> TinyModels:
    """Write the parts called ``names``, and the small files that all of them share.

    Args:
        root: The models folder.
        names: Keys of `ALL`.
        force: Whether to write again what is complete already.
    """
    models = TinyModels(root)
    _write_shared(models)
    for name in names:
        part = ALL[name]
        if force or not (root / part.last).exists():
            part.write(models)
    return models


def _write_shared(models: TinyModels) -> None:
    write_tokenizer(models.root / "tokenizer")
    architecture = models.root / "open_clip" / f"{configs.ARCHITECTURE}.json"
    architecture.parent.mkdir(parents=True, exist_ok=True)
    architecture.write_text(json.dumps(configs.open_clip_architecture(), indent=2), encoding="utf-8")
    write_pictures(models.pictures)
