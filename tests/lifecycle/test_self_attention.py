"""Styling without an adapter, and with both, in jobs of every kind."""

from __future__ import annotations

import pkgutil
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lib_instantstyle.errors import PictureError, StyleError, UnsupportedModelError
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.webui.extension import extension
from lib_instantstyle.webui.setup.folders import cache_folder
from lib_instantstyle.webui.styles.saving import save_style
from tests.lifecycle.conftest import Studio
from tests.lifecycle.test_faults import TEXTS, DeliberateError, boom

ALONE = {"method": "No adapter"}
BOTH = {"method": "Both"}
HOST = TEXTS.rpartition(".")[0]  # the class of this flavour


class Rows:
    """Counts the rows that the UNet's first layer is run with."""

    def __init__(self, studio: Studio) -> None:
        self._layer = studio.unet.input_blocks[0]
        self.sizes: list[int] = []

    def __enter__(self) -> Rows:
        self._handle = self._layer.register_forward_hook(lambda _module, args, _output: self.sizes.append(len(args[0])))
        return self

    def __exit__(self, *exception: object) -> None:
        self._handle.remove()


@pytest.mark.parametrize(
    ("style", "fields"),
    [
        (ALONE, {}),
        (ALONE, {"batch_size": 3}),
        (ALONE, {"n_iter": 2}),
        (ALONE, {"prompt": "a cat AND a dog :0.5"}),
        (ALONE, {"cfg_scale": 1.0}),
        (ALONE, {"sampler_name": "Heun"}),
        (ALONE, {"sampler_name": "DDIM"}),
        (ALONE, {"enable_hr": True, "hr_scale": 1.5, "denoising_strength": 0.7}),
        (ALONE | {"reading": "Share"}, {}),
        (ALONE | {"reading": "Share", "copies": 2}, {"batch_size": 2}),
        (ALONE | {"self_weight": 0.5}, {}),
        (ALONE | {"reach": "Texture"}, {}),
        (ALONE | {"reach": "Custom", "self_blocks": "style:1, up_blocks.1.attentions.0:0.5"}, {}),
        (ALONE | {"self_weight": 0.0, "calibration": 1.0}, {"steps": 6}),
        (ALONE | {"self_weight": 0.0, "calibration": 1.0}, {"sampler_name": "DDIM", "steps": 6}),
        (ALONE | {"self_weight": 0.0, "block_adain": 1.0}, {}),
        (ALONE | {"every": 2}, {}),
        (ALONE | {"reference_area": 0.25}, {}),
        (ALONE | {"reference_caption": "stripes"}, {}),
        (ALONE | {"push": 1.0}, {}),
        (ALONE | {"start": 0.3, "end": 0.7}, {"steps": 6}),
        (BOTH, {}),
        (BOTH | {"content": "a cat"}, {"batch_size": 2}),
    ],
    ids=str,
)
def test_it_styles_and_leaves_nothing(studio: Studio, style: dict[str, Any], fields: dict[str, Any]) -> None:
    plain = studio.plain(**fields)
    styled = studio.styled(style, **fields)
    assert len(styled) == len(plain)
    assert all(one != other for one, other in zip(styled, plain, strict=True))
    assert studio.styled(style, **fields) == styled
    assert studio.plain(**fields) == plain


def test_further_pictures_need_no_pass(studio: Studio) -> None:
    """Records are kept: of a second picture with another seed and prompt, no further rows of the UNet are run."""
    extension().generation.records.clear()
    with Rows(studio) as plain:
        studio.plain(seed=5, prompt="a dog")
    with Rows(studio) as first:
        studio.styled(ALONE)
    with Rows(studio) as second:
        kept = studio.styled(ALONE, seed=5, prompt="a dog")
    assert first.sizes == [size for size in plain.sizes for size in (1, size)]
    assert second.sizes == plain.sizes
    extension().generation.records.clear()
    assert studio.styled(ALONE, seed=5, prompt="a dog") == kept


def test_nothing_is_kept_where_the_setting_says_so(studio: Studio) -> None:
    extension().generation.records.clear()
    kept = studio.styled(ALONE)
    studio.host.shared.opts.data["instantstyle_records_megabytes"] = 0
    with Rows(studio) as rows:
        assert studio.styled(ALONE) == kept
    assert 1 in rows.sizes


def test_a_picture_does_not_depend_on_its_batch(studio: Studio) -> None:
    """Seeds count up within a batch."""
    alone = [studio.styled(ALONE, seed=seed)[0] for seed in (1, 2)]
    together = studio.styled(ALONE, seed=1, batch_size=2)
    differences = [_difference(one, other) for one, other in zip(alone, together, strict=True)]
    assert max(differences) <= 1  # of 255: matrices of other shapes are multiplied in another order


def _forget(studio: Studio) -> None:
    studio.forget()
    extension().generation.records.clear()


def _failing(original: Callable[..., Any], number: int) -> Callable[..., Any]:
    """Return ``original`` such that its call of this number raises."""
    calls = 0

    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        return boom() if calls == number else original(*args, **kwargs)

    return call


def _difference(one: bytes, other: bytes) -> int:
    pixels = (torch.frombuffer(bytearray(each), dtype=torch.uint8).int() for each in (one, other))
    return int((next(pixels) - next(pixels)).abs().max())


def test_no_weight_is_no_style(studio: Studio) -> None:
    plain = studio.plain()
    processed = studio.host.txt2img(studio.request(**ALONE, self_weight=0.0))
    assert [image.tobytes() for image in processed.images] == plain
    assert "InstantStyle: " not in processed.infotexts[0]
    assert "had nothing to do" in processed.comments


@pytest.mark.parametrize(
    "target",
    [
        f"{HOST}.picture_latent",
        f"{HOST}.vae_fingerprint",
        f"{HOST}.conditioning",
        f"{HOST}.noise_levels",
        f"{HOST}.model_state",
        f"{HOST}.run_unet",
        "lib_instantstyle.webui.encoding.picture_latents.pixels",
        "lib_instantstyle.self_attention.recorder.Recorder.add_to",
        "lib_instantstyle.self_attention.recorder.Recorder._done",
        "lib_instantstyle.self_attention.records.KeptRecords.put",
        "lib_instantstyle.self_attention.reading_site.Run",
        "lib_instantstyle.self_attention.calibration.calibrate",
        "lib_instantstyle.self_attention.block_site.adain",
    ],
)
@pytest.mark.parametrize("number", [1, 2])
def test_a_fault_at_any_step_of_the_pass(
    studio: Studio, target: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first time, or in the midst: it is raised, and neither a hook nor half a record stays."""
    wish = ALONE | {"calibration": 1.0, "calibration_start": 0.0, "block_adain": 0.5}
    plain, styled = studio.plain(steps=4), studio.styled(wish, steps=4)
    _forget(studio)
    with monkeypatch.context() as patch:
        patch.setattr(target, _failing(pkgutil.resolve_name(target), number))
        try:
            made = studio.styled(wish, steps=4)
        except DeliberateError:
            made = None
    if made is not None:  # it is not called so often
        assert number == 2
        assert made == styled
    assert studio.hooks() == 0
    assert studio.plain(steps=4) == plain
    assert studio.styled(wish, steps=4) == styled


def test_a_saved_style_holds_what_the_method_needs(studio: Studio, folder: Path) -> None:
    """With latents in half precision, and without embeddings where no adapter was asked for."""
    params = StyleParams(enabled=True, image=studio.reference, **ALONE)
    path = save_style("latents", params, extension().builder)
    assert path.stat().st_size < 200_000
    saved = extension().library.find("latents")
    assert saved.embeddings is None
    assert saved.latents.style[0].latent.dtype is torch.float16
    made = studio.styled({"image": None, "style": "latents"})
    assert made != studio.plain()
    shutil.rmtree(cache_folder(), ignore_errors=True)
    assert studio.styled({"image": None, "style": "latents"}) == made
    with pytest.raises(StyleError, match="holds nothing for an adapter"):
        studio.styled({"image": None, "style": "latents", "method": "Both"})
    save_style("both", params.replace(method="Both"), extension().builder)
    made = [studio.styled({"image": None, "style": "both", "method": method}) for method in ("Adapter", "No adapter")]
    assert made[0] != made[1]


def test_a_pasted_hash_finds_the_latent(studio: Studio) -> None:
    made = studio.styled(ALONE)
    pictures = extension().builder.from_accordion(StyleParams(image=studio.reference)).hashes
    assert studio.styled(ALONE | {"image": None, "reference": pictures.text()}) == made
    with pytest.raises(PictureError, match="not in the cache for this VAE and picture size"):
        studio.styled(ALONE | {"image": None, "reference": pictures.text()}, width=128)


def test_a_vae_that_fails_is_named(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    from modules import sd_samplers_common

    studio.forget()
    monkeypatch.setattr(
        sd_samplers_common, "images_tensor_to_samples", lambda *_args: torch.full((1, 4, 8, 8), torch.nan)
    )
    with pytest.raises(UnsupportedModelError, match="--no-half-vae"):
        studio.styled(ALONE)


def test_other_models_are_refused_by_name(studio: Studio) -> None:
    studio.host.load("tiny-sd15.safetensors")
    with pytest.raises(UnsupportedModelError, match="Stable Diffusion 1"):
        studio.styled(ALONE)
    studio.host.load("tiny-sdxl.safetensors")
