"""The denoiser, taught where things belong: style words reach one block, words of place another.

Each training picture comes with several captions. The style block reads its true style beside another picture's
content, the layout block its true place, all other blocks (and the pooled vector) its true content beside another
picture's style. So each learns to read its own part of a caption and to overlook the rest, which is the geography
that InstantStyle found in SDXL. At inference every block reads one and the same caption, as in any WebUI.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from sgm.models.diffusion import signal_shares
from sgm.modules.diffusionmodules.util import timestep_embedding

from lib_instantstyle.params.blocks import LAYOUT, STYLE, Block
from lib_instantstyle.unet.sites import enumerate_sites
from tests.mini import architecture
from tests.mini.captions import STYLE_FACTORS, Mentions, captions
from tests.mini.drawing import render
from tests.mini.train.clip import with_unknown_words
from tests.mini.train.device import CPU, on_device
from tests.mini.train.loop import Plan, fit
from tests.mini.world import Scenes, random_scenes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.mini.architecture import AutoencoderKL, UNetModel
    from tests.mini.train.clip import Texts

_PLAN = Plan("unet", steps=3600, rate=1.5e-3, average=0.999)
PICTURES = 40_000
_CHUNK = 64
BATCH = 96
_DROPPED = 0.1  # pictures without any caption
_SNR_CEILING = 5.0
_NOISE_EMPHASIS = 0.35
_OFFSET_NOISE = 0.1  # without it, the first noise decides the colours of flat grounds
_BARE = 0.15  # captions without any word of style
_CHANCES = {"shape": 0.95, "place": 0.5, **dict.fromkeys(STYLE_FACTORS, 0.75)}
_SIGNAL_SHARES = signal_shares()


class Pictures(NamedTuple):
    """Training pictures as the denoiser sees them."""

    scenes: Scenes
    latents: torch.Tensor  # float16 ``[n, 4, 16, 16]``, deviation one

    def draw(self, generator: torch.Generator) -> tuple[Scenes, torch.Tensor, torch.Tensor]:
        """Return a batch: scenes, latents, and the rows they are."""
        rows = torch.randint(len(self.latents), (BATCH,), generator=generator)
        return self.scenes[rows], self.latents[rows].float(), rows


@torch.no_grad()
def encode_pictures(model: AutoencoderKL, scale: float, folder: Path) -> Pictures:
    """Draw and encode the pictures that the denoiser and the adapter learn from; once a folder."""
    scenes = random_scenes(PICTURES, torch.Generator().manual_seed(11))
    file = folder / "latents.pt"
    if file.exists():
        return Pictures(scenes, torch.load(file, weights_only=True))
    latents = []
    for start in range(0, PICTURES, _CHUNK):
        pictures = render(scenes[start : start + _CHUNK]) * 2 - 1
        with torch.autocast("cpu", torch.bfloat16):
            encoded = model.encode(pictures.contiguous(memory_format=torch.channels_last))
        latents.append((encoded.float() * scale).half())
    torch.save(torch.cat(latents), file)
    return Pictures(scenes, torch.cat(latents))


def denoising_loss(
    model: UNetModel, latents: torch.Tensor, contexts: Any, vector: torch.Tensor, draw: torch.Generator
) -> torch.Tensor:
    """Error of the predicted noise, weighted by min(SNR, 5)/SNR, and by SNR^-0.35 where noise prevails.

    What prevails there is colour and place, of which the plain error says little.
    """
    steps = torch.randint(len(_SIGNAL_SHARES), (len(latents),), generator=draw)
    share = _SIGNAL_SHARES[steps].view(-1, 1, 1, 1)
    noise = torch.randn(latents.shape, generator=draw)
    noise = noise + _OFFSET_NOISE * torch.randn(*latents.shape[:2], 1, 1, generator=draw)
    noisy = share.sqrt() * latents + (1 - share).sqrt() * noise
    predicted = model(noisy.contiguous(memory_format=torch.channels_last), steps, contexts, vector)
    ratio = share / (1 - share)
    weight = ratio.clamp(max=_SNR_CEILING) / ratio * ratio.clamp(max=1.0) ** -_NOISE_EMPHASIS
    return (weight * (predicted - noise).square()).mean()


class Contexts:
    """Stands for the text of a UNet call whose blocks read different captions."""

    def __init__(self, style: torch.Tensor, layout: torch.Tensor, rest: torch.Tensor) -> None:
        self._of = {STYLE: style, LAYOUT: layout}
        self._rest = rest

    def read_by(self, block: Block) -> torch.Tensor:
        """Return what the cross-attentions of ``block`` read."""
        return self._of.get(block, self._rest)


def let_blocks_read_their_own(model: UNetModel) -> list[Any]:
    """Hand each cross-attention its own part of a `Contexts`; remove the returned hooks afterwards."""

    def hook(block: Block) -> Any:
        def choose(_module: object, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            return args, {**kwargs, "context": kwargs["context"].read_by(block).to(args[0].device)}

        return choose

    return [
        site.attention.register_forward_pre_hook(hook(site.block), with_kwargs=True) for site in enumerate_sites(model)
    ]


def train_unet(folder: Path, pictures: Pictures, texts: Texts, device: torch.device = CPU) -> UNetModel:
    """Train the denoiser."""
    model = on_device(architecture.unet().to(memory_format=torch.channels_last), device)
    hooks = let_blocks_read_their_own(model)

    def loss(generator: torch.Generator) -> torch.Tensor:
        scenes, latents, _ = pictures.draw(generator)
        contexts, vector = _captioned(scenes, texts, generator)
        return denoising_loss(model, latents, contexts, vector, generator)

    fit(_PLAN, model, loss, folder, seed=2)
    for hook in hooks:
        hook.remove()
    return model.requires_grad_(False)


@torch.no_grad()
def _captioned(scenes: Scenes, texts: Texts, generator: torch.Generator) -> tuple[Contexts, torch.Tensor]:
    others = random_scenes(len(scenes), generator)
    own_style = {name: getattr(scenes, name) for name in STYLE_FACTORS}
    for_rest = captions(others.with_factors(shape=scenes.shape), _mentions(len(scenes), generator))
    for_layout = captions(
        others.with_factors(shape=scenes.shape, centre=scenes.centre), _mentions(len(scenes), generator)
    )
    for_style = captions(others.with_factors(**own_style), _mentions(len(scenes), generator))
    kept = (torch.rand(len(scenes), generator=generator) >= _DROPPED).float()[:, None]
    (style, _), (layout, _), (rest, pooled) = (
        texts.read(with_unknown_words(words, generator)) for words in (for_style, for_layout, for_rest)
    )
    contexts = Contexts(*(context * kept[:, None] for context in (style, layout, rest)))
    return contexts, torch.cat([pooled * kept, random_numbers(len(scenes), generator)], dim=-1)


def _mentions(count: int, generator: torch.Generator) -> Mentions:
    mentions = Mentions.random(count, _CHANCES, generator)
    bare = torch.rand(count, generator=generator) < _BARE
    return Mentions(mentions.shape, *(getattr(mentions, name) & ~bare for name in STYLE_FACTORS), mentions.place)


def random_numbers(count: int, generator: torch.Generator) -> torch.Tensor:
    """Return size conditioning ``[n, 96]`` that means nothing, so that the miniature works at any size."""
    numbers = torch.randint(0, 512, (count * 6,), generator=generator)
    return timestep_embedding(numbers, architecture.NUMBER_WIDTH).view(count, -1)
