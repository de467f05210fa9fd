"""From the learnt weights to a WebUI's models folder, in the layouts of the real files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file, save_file
from transformers.models.clip.tokenization_clip import bytes_to_unicode

from tests.mini import architecture
from tests.mini.captions import CLIP_VOCABULARY, END, LENGTH, ROWS, START, TOKENS
from tests.tiny import configs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WEIGHTS = Path(__file__).parent / "weights"
NAME = "miniature"
ADAPTER = "ip-adapter_miniature"
ENCODER = "clip-vision_miniature"
ARCHITECTURE = "miniature-bigG"
_PARTS = 40_000  # numbers from here on, which no word has, stand for beginnings of words
_UNKNOWN_ROW = ROWS.index(None)


@dataclass(frozen=True)
class Miniature:
    """Where everything is, below ``root``, which is a WebUI's models folder."""

    root: Path

    @property
    def checkpoint(self) -> Path:
        """The SDXL checkpoint."""
        return self.root / "Stable-diffusion" / f"{NAME}.safetensors"

    @property
    def adapter(self) -> Path:
        """The IP-Adapter."""
        return self.root / "InstantStyle" / f"{ADAPTER}.safetensors"

    @property
    def encoder(self) -> Path:
        """Folder of the vision tower."""
        return self.root / "clip_vision" / ENCODER


def assemble(root: Path) -> Miniature:
    """Write the miniature below ``root``.

    The real WebUI builds the second text tower through open_clip, which must know its sizes: copy
    ``root/open_clip/miniature-bigG.json`` into the folder ``model_configs`` of the installed open_clip.
    """
    models = Miniature(root)
    for folder in (models.checkpoint.parent, models.adapter.parent, models.encoder, root / "open_clip"):
        folder.mkdir(parents=True, exist_ok=True)
    _write_tokenizer(root / "tokenizer")
    _write_checkpoint(models)
    save_file(read_weights("adapter"), str(models.adapter))
    save_file(read_weights("vision"), str(models.encoder / "model.safetensors"))
    _write_json(models.encoder / "config.json", architecture.VISION)
    _write_json(root / "open_clip" / f"{ARCHITECTURE}.json", _open_clip())
    return models


def read_weights(name: str) -> dict[str, torch.Tensor]:
    """Return the learnt tensors of the part ``name`` in float32."""
    return {key: tensor.float() for key, tensor in load_file(str(WEIGHTS / f"{name}.safetensors")).items()}


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")


def _write_checkpoint(models: Miniature) -> None:
    texts, first_stage = read_weights("texts"), read_weights("autoencoder")
    scale = float(first_stage.pop("scale"))
    parts = {
        "model.diffusion_model.": read_weights("unet"),
        "first_stage_model.": first_stage,
        "conditioner.embedders.0.transformer.": _tower(texts, "clip_l."),
        "conditioner.embedders.1.model.": _tower(texts, "bigg."),
    }
    tensors = {f"{prefix}{key}": value.half() for prefix, part in parts.items() for key, value in part.items()}
    tensors["conditioner.embedders.0.transformer.text_model.embeddings.position_ids"] = torch.arange(LENGTH)[None]
    save_file(tensors, str(models.checkpoint))
    _write_json(models.checkpoint.with_suffix(".yaml"), _config(scale, models.root / "tokenizer"))  # JSON is YAML


def _tower(texts: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """Return one text tower, its vocabulary widened to CLIP's."""
    tower = {key.removeprefix(prefix): value for key, value in texts.items() if key.startswith(prefix)}
    for key in [key for key in tower if key.endswith("token_embedding.weight")]:
        tower[key] = _widened(tower[key])
    return tower


def _widened(learnt: torch.Tensor) -> torch.Tensor:
    """``[rows, width]`` → ``[49408, width]``: every word that was not learnt is the unknown word."""
    table = learnt[_UNKNOWN_ROW].repeat(CLIP_VOCABULARY, 1)
    for row, number in enumerate(ROWS):
        if number is not None:
            table[number] = learnt[row]
    return table


def _config(scale: float, tokenizer: Path) -> dict[str, Any]:
    model = configs.Sdxl(
        architecture.UNET,
        architecture=ARCHITECTURE,
        clip_l_layers=architecture.CLIP_L_LAYERS,
        autoencoder=architecture.AUTOENCODER,
        number_width=architecture.NUMBER_WIDTH,
        head_width=architecture.HEAD_WIDTH,
        scale=scale,
    )
    return configs.sdxl(model, tokenizer)


def _open_clip() -> dict[str, Any]:
    return configs.open_clip_architecture(architecture.SPACE, architecture.BIGG_LAYERS)


def _write_tokenizer(folder: Path) -> None:
    """Write a CLIP tokenizer that knows single letters and the words of the captions, by CLIP's numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = list(bytes_to_unicode().values())
    vocabulary = {token: number for number, token in enumerate([*letters, *(f"{letter}</w>" for letter in letters)])}
    merges = dict.fromkeys(pair for word in _untorn(TOKENS) for pair in _merges(word))
    vocabulary |= {left + right: _PARTS + number for number, (left, right) in enumerate(merges)}
    vocabulary |= {f"{word}</w>": number for word, number in TOKENS.items()}
    vocabulary |= {"<|startoftext|>": START, "<|endoftext|>": END}
    _write_json(folder / "vocab.json", vocabulary)
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    _write_json(folder / "special_tokens_map.json", {**special, "pad_token": "<|endoftext|>"})
    _write_json(folder / "tokenizer_config.json", {"tokenizer_class": "CLIPTokenizer", "model_max_length": LENGTH})
    _write_json(folder / "config.json", architecture.clip_l_config(CLIP_VOCABULARY))


def _untorn(words: Iterable[str]) -> Iterable[str]:
    """Order ``words`` so that no word's beginning is merged within another: "stripes" before "triangle"."""
    return TopologicalSorter(
        {word: [other for other in words if word[:2] in other[1:]] for word in words}
    ).static_order()


def _merges(word: str) -> list[tuple[str, str]]:
    """Return the pairs that build ``word`` letter by letter from its beginning."""
    letters = [*word[:-1], f"{word[-1]}</w>"]
    return [("".join(letters[:end]), letters[end]) for end in range(1, len(letters))]
