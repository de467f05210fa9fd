"""Text towers that understand prompts: weights, BREAK, and any length in chunks of 75 tokens."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from modules import devices, shared
from modules.flavour import flavour
from modules.prompt_emphasis import parse_prompt_attention

_CHUNK = 75


class TextConditionalModel(nn.Module):
    """Runs the wrapped tower over chunks and joins the results along the tokens."""

    is_trainable = False
    legacy_ucg_val = None
    return_pooled = False

    def __init__(self, wrapped: nn.Module, hijack: Any) -> None:
        super().__init__()
        self.wrapped = wrapped
        self.hijack = hijack
        self.input_key = getattr(wrapped, "input_key", "txt")
        self.tokenizer = wrapped.tokenizer
        self.id_start, self.id_end = self.tokenizer.bos_token_id, self.tokenizer.eos_token_id
        self.id_pad = self.id_end

    def tokenize(self, texts: list[str]) -> list[list[int]]:
        return self.tokenizer(texts, truncation=False, add_special_tokens=False, verbose=False)["input_ids"]

    def tokenize_line(self, line: str) -> list[list[tuple[int, float]]]:
        """Return the (token, weight) pairs of each chunk."""
        chunks: list[list[tuple[int, float]]] = [[]]
        for text, weight in parse_prompt_attention(line):
            if weight == -1:
                chunks.append([])
                continue
            for token in self.tokenize([text])[0]:
                if len(chunks[-1]) == _CHUNK:
                    chunks.append([])
                chunks[-1].append((token, weight))
        return chunks

    def forward(self, texts: list[str]) -> Any:
        lines = [self.tokenize_line(text) for text in texts]
        count = max(len(line) for line in lines)
        results = [self._encode_chunk([line[i] if i < len(line) else [] for line in lines]) for i in range(count)]
        if any(weight != 1.0 for line in lines for chunk in line for _, weight in chunk):
            self._note_emphasis()
        states = torch.cat([states for states, _ in results], dim=1)
        return (states, results[0][1]) if self.return_pooled else states

    def _note_emphasis(self) -> None:
        if not flavour.notes_on_model:
            self.hijack.extra_generation_params["Emphasis"] = shared.opts.emphasis
        elif shared.opts.emphasis != "Original":
            from backend.text_processing import classic_engine

            classic_engine.last_extra_generation_params["Emphasis"] = shared.opts.emphasis

    def _encode_chunk(self, chunks: list[list[tuple[int, float]]]) -> tuple[torch.Tensor, torch.Tensor | None]:
        rows, weights = [], []
        for chunk in chunks:
            padding = _CHUNK - len(chunk)
            rows.append([self.id_start, *(token for token, _ in chunk), self.id_end, *[self.id_pad] * padding])
            weights.append([1.0, *(weight for _, weight in chunk), *[1.0] * (padding + 1)])
        states, pooled = self.encode_with_transformers(torch.tensor(rows, device=devices.device))
        return self._emphasise(states, torch.tensor(weights, device=states.device, dtype=states.dtype)), pooled

    @staticmethod
    def _emphasise(states: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        if shared.opts.emphasis == "None" or bool((weights == 1).all()):
            return states
        weighted = states * weights[..., None]
        return weighted * (states.mean() / weighted.mean())

    def encode_with_transformers(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        raise NotImplementedError


class FrozenCLIPEmbedderWithCustomWords(TextConditionalModel):
    """Stable Diffusion 1.5's tower, which heeds Clip skip."""

    def encode_with_transformers(self, tokens: torch.Tensor) -> tuple[torch.Tensor, None]:
        skip = shared.opts.CLIP_stop_at_last_layers
        if skip <= 1:
            return self.wrapped.encode_tokens(tokens), None
        out = self.wrapped.transformer(input_ids=tokens, output_hidden_states=True)
        return self.wrapped.transformer.text_model.final_layer_norm(out.hidden_states[-skip]), None


class FrozenCLIPEmbedderForSDXLWithCustomWords(TextConditionalModel):
    """SDXL's first tower."""

    def encode_with_transformers(self, tokens: torch.Tensor) -> tuple[torch.Tensor, None]:
        return self.wrapped.encode_tokens(tokens), None
