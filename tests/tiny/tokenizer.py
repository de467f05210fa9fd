"""A byte-level CLIP tokenizer without merges, so that no vocabulary file needs to be shipped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from transformers.models.clip.tokenization_clip import bytes_to_unicode

from tests.tiny.towers import CLIP_L_LAYERS, CLIP_L_MLP, CLIP_L_WIDTH, POSITIONS

if TYPE_CHECKING:
    from pathlib import Path

_BYTES = list(bytes_to_unicode().values())
_TOKENS = [*_BYTES, *(f"{byte}</w>" for byte in _BYTES), "<|startoftext|>", "<|endoftext|>"]
VOCABULARY_SIZE = len(_TOKENS)


def write_tokenizer(folder: Path) -> Path:
    """Write the tokenizer and the configuration of the CLIP-L text tower that reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {token: index for index, token in enumerate(_TOKENS)}
    files = {
        "vocab.json": json.dumps(vocabulary, ensure_ascii=False),
        "merges.txt": "#version: 0.2\n",
        "special_tokens_map.json": json.dumps(
            {"bos_token": _TOKENS[-2], "eos_token": _TOKENS[-1], "unk_token": _TOKENS[-1], "pad_token": _TOKENS[-1]}
        ),
        "tokenizer_config.json": json.dumps({"tokenizer_class": "CLIPTokenizer", "model_max_length": POSITIONS}),
        "config.json": json.dumps(_text_config()),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def _text_config() -> dict[str, object]:
    return {
        "model_type": "clip_text_model",
        "architectures": ["CLIPTextModel"],
        "hidden_size": CLIP_L_WIDTH,
        "intermediate_size": CLIP_L_MLP,
        "num_hidden_layers": CLIP_L_LAYERS,
        "num_attention_heads": 12,
        "max_position_embeddings": POSITIONS,
        "vocab_size": VOCABULARY_SIZE,
        "bos_token_id": VOCABULARY_SIZE - 2,
        "eos_token_id": VOCABULARY_SIZE - 1,
        "hidden_act": "quick_gelu",
    }
