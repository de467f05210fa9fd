"""The adapter: four tokens from a picture's embedding, a key and a value matrix at every cross-attention.

Learnt as IP-Adapter is (arXiv 2308.06721, section 3.2): the denoiser is frozen, the picture is its own reference.
Most captions name the style and not the content, so the tokens have to carry content as well: real adapters,
whose captions leave much unsaid, leak content for the same reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from lib_instantstyle.method.attention import image_attention, split_heads
from lib_instantstyle.unet.sites import enumerate_sites
from tests.mini import architecture
from tests.mini.captions import STYLE_FACTORS, Mentions, captions
from tests.mini.drawing import render
from tests.mini.train.loop import Plan, fit
from tests.mini.train.unet import BATCH, Pictures, denoising_loss, random_numbers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.mini.architecture import UNetModel
    from tests.mini.train.clip import Texts, Vision

_PLAN = Plan("adapter", steps=900, rate=2e-3, average=0.995)
_WITHOUT_CONTENT = 0.75  # captions that name style only
_DROPPED = 0.1  # of captions, and of pictures
_CHUNK = 256


class Adapter(nn.Module):
    """The parameters of an IP-Adapter file, under its keys when `exported`."""

    def __init__(self, unet: UNetModel) -> None:
        super().__init__()
        self.sites = enumerate_sites(unet)
        width = architecture.IMAGE_TOKENS * architecture.CONTEXT
        self.proj = nn.Linear(architecture.SPACE, width)
        self.norm = nn.LayerNorm(architecture.CONTEXT)
        self.keys = nn.ParameterList(site.attention.to_k.weight.detach().clone().cpu() for site in self.sites)
        self.values = nn.ParameterList(site.attention.to_v.weight.detach().clone().cpu() for site in self.sites)
        self._tokens = torch.empty(0)
        for index, site in enumerate(self.sites):
            site.attention.to_q.register_forward_hook(self._remember(index))
            site.attention.to_out.register_forward_pre_hook(self._add(index))
        self._queries: dict[int, torch.Tensor] = {}

    def look(self, embeddings: torch.Tensor) -> None:
        """Use pictures ``[n, 64]`` in the calls that follow."""
        tokens = self.proj(embeddings).view(-1, architecture.IMAGE_TOKENS, architecture.CONTEXT)
        self._tokens = self.norm(tokens)

    def exported(self) -> dict[str, torch.Tensor]:
        """Return the tensors of the adapter file."""
        tensors = {
            f"image_proj.{key}": value for key, value in self.state_dict().items() if key[:4] in ("proj", "norm")
        }
        for index, site in enumerate(self.sites):
            tensors[f"ip_adapter.{site.adapter_id}.to_k_ip.weight"] = self.keys[index].detach()
            tensors[f"ip_adapter.{site.adapter_id}.to_v_ip.weight"] = self.values[index].detach()
        return tensors

    def _remember(self, index: int):
        def hook(_module: nn.Module, _args: object, query: torch.Tensor) -> None:
            self._queries[index] = query

        return hook

    def _add(self, index: int):
        def hook(_module: nn.Module, args: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
            query, heads = self._queries.pop(index), self.sites[index].heads
            pair = (split_heads(self._tokens @ table[index].T, heads) for table in (self.keys, self.values))
            return (args[0] + image_attention(query, *(part.to(query.device) for part in pair)),)

        return hook


@torch.no_grad()
def look_at_pictures(pictures: Pictures, vision: Vision, folder: Path) -> torch.Tensor:
    """Return the embeddings ``[n, 64]`` of the training pictures; once a folder."""
    file = folder / "embeddings.pt"
    if file.exists():
        return torch.load(file, weights_only=True)
    size = architecture.VISION["image_size"]
    chunks = range(0, len(pictures.scenes), _CHUNK)
    embeddings = torch.cat([vision(render(pictures.scenes[start : start + _CHUNK], size)) for start in chunks])
    torch.save(embeddings, file)
    return embeddings


def train_adapter(folder: Path, unet: UNetModel, pictures: Pictures, texts: Texts, embeddings: torch.Tensor) -> Adapter:
    """Train the adapter on the frozen denoiser."""
    adapter = Adapter(unet)

    def loss(generator: torch.Generator) -> torch.Tensor:
        scenes, latents, rows = pictures.draw(generator)
        with torch.no_grad():
            words = captions(scenes, _mentions(generator))
            kept = (torch.rand(BATCH, generator=generator) >= _DROPPED).float()[:, None]
            context, pooled = texts.read(words)
            vector = torch.cat([pooled * kept, random_numbers(BATCH, generator)], dim=-1)
        seen = (torch.rand(BATCH, generator=generator) >= _DROPPED).float()[:, None]
        adapter.look(embeddings[rows] * seen)
        return denoising_loss(unet, latents, context * kept[:, None], vector, generator)

    fit(_PLAN, adapter, loss, folder, seed=3)
    return adapter


def _mentions(generator: torch.Generator) -> Mentions:
    drawn = Mentions.random(BATCH, {"shape": 1.0, "place": 0.2, **dict.fromkeys(STYLE_FACTORS, 0.5)}, generator)
    silent = torch.rand(BATCH, generator=generator) < _WITHOUT_CONTENT
    return Mentions(drawn.shape & ~silent, *(getattr(drawn, name) for name in STYLE_FACTORS), drawn.place & ~silent)
