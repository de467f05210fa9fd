"""Tiny, seeded, random models in the real layouts: `python -m tests.tiny OUT`.

``OUT`` becomes a WebUI models folder: ``Stable-diffusion``, ``InstantStyle``, ``clip_vision``, and beside them
``tokenizer``, ``open_clip`` and ``pictures``. Nothing is downloaded. Pictures made with these models are
noise, but every block, adapter and encoder takes part as in the real ones.

The real WebUI builds SDXL's second text tower through open_clip, which must know the tiny architecture:
copy ``OUT/open_clip/tiny-bigG.json`` into the folder ``model_configs`` of the installed open_clip.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.tiny import adapters, checkpoints, configs
from tests.tiny.pictures import write_pictures
from tests.tiny.tokenizer import write_tokenizer


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


def write_all(root: Path, *, others: bool = True) -> TinyModels:
    """Write every model below ``root``; what is complete there already stays.

    Args:
        root: The models folder.
        others: Whether to write a second base model, a refiner and a Stable Diffusion 1.5 model too.
    """
    models = TinyModels(root)
    write_tokenizer(root / "tokenizer")
    architecture = root / "open_clip" / f"{configs.ARCHITECTURE}.json"
    architecture.parent.mkdir(parents=True, exist_ok=True)
    architecture.write_text(json.dumps(configs.open_clip_architecture(), indent=2), encoding="utf-8")
    write_pictures(models.pictures)
    _write_checkpoints(models.checkpoints, others)
    _write_adapters(models)
    return models


def _write_checkpoints(folder: Path, others: bool) -> None:
    if not (folder / "tiny-sdxl.yaml").exists():
        checkpoints.write_sdxl(folder)
    if others and not (folder / "tiny-sd15.yaml").exists():
        checkpoints.write_sdxl(folder, "tiny-sdxl-b", seed=7)
        checkpoints.write_refiner(folder)
        checkpoints.write_sd15(folder)


def _write_adapters(models: TinyModels) -> None:
    if (models.encoders / "tiny-vit-h" / "model.safetensors").exists():
        return
    adapters.write_adapter(models.adapters, "ip-adapter_sdxl", adapters.linear_shapes(1280), seed=11)
    adapters.write_adapter(models.adapters, "ip-adapter_sdxl_vit-h", adapters.linear_shapes(1024), seed=12)
    plus = adapters.plus_shapes(adapters.VIT_H["hidden_size"])
    adapters.write_adapter(models.adapters, "ip-adapter-plus_sdxl_vit-h", plus, seed=13)
    adapters.write_encoder(models.encoders / "tiny-bigG", adapters.BIGG, seed=21)
    adapters.write_encoder(models.encoders / "tiny-vit-h", adapters.VIT_H, seed=22)
