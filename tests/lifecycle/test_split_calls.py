"""Other extensions that repeat, add and split rows: the style reaches the rows it should, whatever they do.

Each stands for a real one by doing to the host what that one does; the real ones are tried beside a real WebUI.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from lib_instantstyle.unet.sites import enumerate_sites
from tests.lifecycle.conftest import Studio
from tests.lifecycle.test_rows import LONG, Judge, on_each_host

Extend = Callable[[Studio, pytest.MonkeyPatch], None]


def tiles(count: int, at_once: int) -> Extend:
    """Tiled Diffusion: each call of the model becomes one of several tiles, some of them at once."""

    def extend(_studio: Studio, patch: pytest.MonkeyPatch) -> None:
        from modules.sd_samplers_kdiffusion import CompVisDenoiser

        forward = CompVisDenoiser.forward

        def tiled(denoiser: Any, x: torch.Tensor, sigma: torch.Tensor, cond: Any) -> torch.Tensor:
            total = torch.zeros_like(x)
            for start in range(0, count, at_once):
                here = min(at_once, count - start)
                answer = forward(denoiser, *(_repeated(value, here) for value in (x, sigma, cond)))
                total += answer.unflatten(0, (here, len(x))).sum(dim=0)
            return total / count

        patch.setattr(CompVisDenoiser, "forward", tiled)

    return extend


def _repeated(value: Any, count: int) -> Any:
    if isinstance(value, dict):  # what the Forge family says of the rows stays as it is
        return {n: part if n == "transformer_options" else _repeated(part, count) for n, part in value.items()}
    if isinstance(value, list):
        return [_repeated(part, count) for part in value]
    return value.repeat(count, *[1] * (value.dim() - 1))


def another_pass(conditional: bool) -> Extend:
    """Guidance by perturbed attention adds a conditional pass after each step, self-attention guidance a negative one."""

    def extend(studio: Studio, patch: pytest.MonkeyPatch) -> None:
        if studio.host.flavour.chunks:
            _another_chunk(patch, conditional)
            return
        from modules import script_callbacks

        original = script_callbacks.cfg_denoised_callback
        step: list[Any] = []
        announce = script_callbacks.cfg_denoiser_callback

        def announced(params: Any) -> None:
            step[:] = [params]
            announce(params)

        def denoised(params: Any) -> None:
            (begun,) = step
            text = begun.text_cond if conditional else begun.text_uncond
            rows = slice(0, text.shape[0]) if conditional else slice(-text.shape[0], None)
            params.inner_model(begun.x[rows], begun.sigma[rows], cond={**text, "c_concat": [begun.image_cond[rows]]})
            original(params)

        patch.setattr(script_callbacks, "cfg_denoiser_callback", announced)
        patch.setattr(script_callbacks, "cfg_denoised_callback", denoised)

    return extend


def _another_chunk(patch: pytest.MonkeyPatch, conditional: bool) -> None:
    """The Forge family's own guidance; that by self-attention calls its pass conditional, which it is not."""
    from modules import forge_sampling

    original = forge_sampling.predict

    def predict(apply_model: Any, chunks: list[Any], *call: Any) -> Any:
        kind = forge_sampling.COND if conditional else forge_sampling.UNCOND
        again = [chunk._replace(kind=forge_sampling.COND) for chunk in chunks if chunk.kind == kind]
        answer = original(apply_model, chunks, *call)
        original(apply_model, again, *call)
        return answer

    patch.setattr(forge_sampling, "predict", predict)


def split_attention(reverse: bool) -> Extend:
    """NegPiP: each cross-attention is run with a half of the rows at a time, and with more tokens."""

    def extend(studio: Studio, patch: pytest.MonkeyPatch) -> None:
        for site in enumerate_sites(studio.unet):
            patch.setattr(site.attention, "forward", _halved(site.attention.forward, reverse), raising=False)

    return extend


def _halved(forward: Callable[..., torch.Tensor], reverse: bool) -> Callable[..., torch.Tensor]:
    def halved(x: torch.Tensor, context: torch.Tensor | None = None, **options: Any) -> torch.Tensor:
        if context is None:
            return forward(x, context=context, **options)
        count = 2 if len(x) % 2 == 0 else 1
        longer = torch.cat([context, context[:, :7]], dim=1)
        halves = list(zip(x.chunk(count), longer.chunk(count), strict=True))
        order = range(count)[::-1] if reverse else range(count)
        done = {half: forward(halves[half][0], context=halves[half][1], **options) for half in order}
        return torch.cat([done[half] for half in range(count)])

    return halved


EXTENSIONS: dict[str, Extend] = {
    "three tiles one by one": tiles(3, 1),
    "four tiles at once": tiles(4, 4),
    "five tiles, two at once": tiles(5, 2),
    "another conditional pass": another_pass(conditional=True),
    "another unconditional pass": another_pass(conditional=False),
    "attention in halves": split_attention(reverse=False),
    "attention in halves, the second first": split_attention(reverse=True),
}
APART = {"apart": True}
FIELDS: dict[str, dict[str, Any]] = {
    "plain": {"negative_prompt": "blurry"},
    "plain, apart": {"negative_prompt": "blurry", **APART},
    "long prompt": {"prompt": LONG, "negative_prompt": "blurry"},
    "two pictures of a long prompt, apart": {"prompt": LONG, "negative_prompt": "blurry", "batch_size": 2, **APART},
    "three pictures": {"negative_prompt": "blurry", "batch_size": 3},
    "two batches of a long prompt": {"prompt": LONG, "negative_prompt": "blurry", "n_iter": 2},
    "parts": {"prompt": f"{LONG} AND b", "negative_prompt": "blurry"},
    "negatives left out": {"negative_prompt": "blurry", "s_min_uncond": 4.0, "steps": 4},
}


@pytest.fixture(autouse=True)
def plain_afterwards(studio: Studio) -> Iterator[None]:
    before = studio.plain(steps=1)
    yield
    assert studio.hooks() == 0
    studio.host.split_steps(False)
    assert studio.plain(steps=1) == before


@pytest.mark.parametrize("fields", on_each_host(FIELDS, "two pictures of a long prompt, apart", "parts"))
@pytest.mark.parametrize("extend", EXTENSIONS.values(), ids=EXTENSIONS)
def test_every_row_is_styled_as_its_text_demands(
    studio: Studio, extend: Extend, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if fields.get("apart"):
        studio.host.split_steps()
    with monkeypatch.context() as patch:
        extend(studio, patch)
        judge = Judge(studio, patch)
        fields = {name: value for name, value in fields.items() if name != "apart"}
        studio.styled({"preset": "style + layout"}, **{"steps": 2, **fields})
    assert judge.calls >= 2
    assert judge.worst <= 2e-4
