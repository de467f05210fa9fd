"""Text towers and number embeddings of the conditioner."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from sgm.modules.diffusionmodules.util import timestep_embedding

_HEAD_WIDTH = 64


class FrozenCLIPEmbedder(nn.Module):
    """CLIP-L's text tower, built by transformers."""

    def __init__(self, folder: Path, layer_idx: int | None = None) -> None:
        super().__init__()
        config = CLIPTextConfig(**json.loads((folder / "config.json").read_text(encoding="utf-8")))
        self.tokenizer = CLIPTokenizer.from_pretrained(folder)
        self.transformer = CLIPTextModel(config)
        self.layer_idx = layer_idx

    def encode_tokens(self, tokens: torch.Tensor) -> torch.Tensor:
        """``[n, 77]`` → hidden states ``[n, 77, width]`` of layer ``layer_idx``, or the normed last ones."""
        out = self.transformer(input_ids=tokens, output_hidden_states=True)
        return out.last_hidden_state if self.layer_idx is None else out.hidden_states[self.layer_idx]


class _ResidualAttentionBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, width // _HEAD_WIDTH, batch_first=True)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(width, 4 * width))
        self.mlp.add_module("gelu", nn.GELU())
        self.mlp.add_module("c_proj", nn.Linear(4 * width, width))

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        normed = self.ln_1(x)
        x = x + self.attn(normed, normed, normed, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp(self.ln_2(x))


class OpenCLIPText(nn.Module):
    """The text half of an open_clip model."""

    def __init__(self, width: int, layers: int, vocabulary: int, positions: int, projection: int) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(vocabulary, width)
        self.positional_embedding = nn.Parameter(torch.zeros(positions, width))
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.ModuleList(_ResidualAttentionBlock(width) for _ in range(layers))
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.zeros(width, projection))
        self.logit_scale = nn.Parameter(torch.zeros(()))

    def forward(self, tokens: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return ``penultimate`` and ``last`` hidden states and the ``pooled`` vector."""
        x = self.token_embedding(tokens) + self.positional_embedding
        mask = torch.full((tokens.shape[1],) * 2, float("-inf"), device=x.device, dtype=x.dtype).triu(1)
        states = []
        for block in self.transformer.resblocks:
            states.append(x)
            x = block(x, mask)
        last = self.ln_final(x)
        return {"penultimate": states[-1], "last": last, "pooled": self._pool(last, tokens)}

    def _pool(self, x: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Project the state at the end-of-text token, which has the greatest id."""
        return x[torch.arange(x.shape[0]), tokens.argmax(dim=-1)] @ self.text_projection


class FrozenOpenCLIPEmbedder2(nn.Module):
    """Bigger tower of SDXL: hidden states of the last layer but one, and the pooled, projected vector."""

    return_pooled = True
    layer = "penultimate"
    legacy = False

    def __init__(self, shapes: dict[str, torch.Size], tokenizer: CLIPTokenizer) -> None:
        super().__init__()
        vocabulary, width = shapes["model.token_embedding.weight"]
        layers = len({name.split(".")[3] for name in shapes if name.startswith("model.transformer.resblocks.")})
        positions, projection = shapes["model.positional_embedding"][0], shapes["model.text_projection"][1]
        self.model = OpenCLIPText(width, layers, vocabulary, positions, projection)
        self.tokenizer = tokenizer

    def encode_with_transformer(self, tokens: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return ``penultimate`` and ``last`` hidden states and the ``pooled`` vector."""
        return (self.__dict__.get("_tower") or self.model)(tokens)  # the Forge family takes `model` away


class ConcatTimestepEmbedderND(nn.Module):
    """Sizes and crops as sinusoids."""

    def __init__(self, outdim: int) -> None:
        super().__init__()
        self.outdim = outdim

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        rows = numbers.shape[0]
        return timestep_embedding(numbers.reshape(-1), self.outdim).reshape(rows, -1)


class GeneralConditioner(nn.Module):
    """Runs the embedders on a batch and joins their outputs by rank: ``crossattn`` and ``vector``."""

    def __init__(self, embedders: list[nn.Module]) -> None:
        super().__init__()
        self.embedders = nn.ModuleList(embedders)

    def forward(self, batch: dict[str, Any], force_zero_embeddings: bool = False) -> dict[str, torch.Tensor]:
        context, vector = [], []
        for embedder in self.embedders:
            out = embedder(batch[embedder.input_key])
            zero = force_zero_embeddings and embedder.input_key == "txt"
            for part in out if isinstance(out, tuple) else (out,):
                (context if part.dim() == 3 else vector).append(part * 0 if zero else part)
        return {"crossattn": torch.cat(context, dim=2), "vector": torch.cat(vector, dim=1)}
