"""What people complain of elsewhere, tried here; each test names the thread. More of them are in other files."""

from __future__ import annotations

import base64
import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_instantstyle.webui.extension import extension
from lib_instantstyle.webui.page.pictures import PictureGallery
from lib_instantstyle.webui.setup.folders import cache_folder, own_folder
from tests.host.doors import Api
from tests.lifecycle.conftest import Studio
from tests.live.client import encoded
from tests.tiny import pictures

# ---- off, and gone ----


def test_a_job_of_another_client_is_plain(studio: Studio) -> None:
    """Mikubill/sd-webui-controlnet#254 and #603: after a job with a picture all others had it."""
    before = studio.plain()
    studio.styled()
    api = Api()
    for scripts in ({}, {"InstantStyle": []}, {"InstantStyle": [{}]}, {"InstantStyle": [False]}):
        answer = api.txt2img(scripts)
        assert answer.status_code == 200, answer.text
        image = Image.open(io.BytesIO(base64.b64decode(answer.json()["images"][0])))
        assert [image.tobytes()] == before


def test_a_picture_taken_out_of_its_box_is_not_remembered(studio: Studio) -> None:
    """Mikubill/sd-webui-controlnet#821."""
    studio.styled()
    with pytest.raises(Exception, match="No reference picture was given"):
        studio.styled({"image": None})


@pytest.mark.parametrize("end", [0.2, 0.6])
def test_the_end_counts_in_every_job(studio: Studio, end: float) -> None:
    """Mikubill/sd-webui-controlnet#2752 and #2783: only the first job ended its control."""
    first, second, third = (studio.styled({"end": end}, steps=5) for _ in range(3))
    assert first == second == third
    assert first != studio.styled(steps=5)
    assert first != studio.plain(steps=5)


def test_a_gallery_outlives_its_temporary_folder(studio: Studio) -> None:
    """TheLastBen/fast-stable-diffusion#2363 and #2455."""
    gallery = PictureGallery()
    gallery.postprocess([pictures.dots()])
    shutil.rmtree(gallery.DEFAULT_TEMP_DIR)
    (shown,) = gallery.postprocess([pictures.dots()])
    assert Path(shown["name"] if isinstance(shown, dict) else shown[0]["name"]).is_file()


# ---- the cache ----


@pytest.mark.parametrize("damage", [b"", b"\0" * 900, b"{", None], ids=["empty", "zeros", "text", "cut off"])
def test_a_damaged_cache_costs_nothing_but_time(studio: Studio, damage: bytes | None) -> None:
    """AUTOMATIC1111/stable-diffusion-webui#11773, bmaltais/kohya_ss#3155."""
    studio.forget()
    before = studio.styled()
    kept = list(cache_folder().iterdir())
    assert kept
    for path in kept:
        path.write_bytes(path.read_bytes()[:-1] if damage is None else damage)
    extension().generation.memo = type(extension().generation.memo)()
    assert studio.styled() == before


def test_a_picture_that_was_painted_over_is_another(studio: Studio, tmp_path: Path) -> None:
    """bmaltais/kohya_ss#1629: what was kept of an edited picture of the same name and size was used on."""
    picture = Image.new("RGB", (64, 64), (200, 30, 40))
    first = studio.styled({"image": encoded(picture)})
    picture.paste((30, 60, 200), (16, 16, 48, 48))
    assert studio.styled({"image": encoded(picture)}) != first


# ---- folders ----


def test_a_folder_below_home_is_found(studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Comfy-Org/ComfyUI#2389: ``~/Models`` was accepted and nothing was found in it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "Models" / "shared").mkdir(parents=True)
    shutil.copy(own_folder() / "ip-adapter_sdxl.safetensors", tmp_path / "Models" / "shared" / "mine.safetensors")
    studio.host.shared.opts.data["instantstyle_model_folders"] = "~/Models/"
    assert "mine.safetensors" in [adapter.path.name for adapter in extension().models.look().adapters]


# ---- pictures ----


def png(image: Image.Image, **options: Any) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return base64.b64encode(buffer.getvalue()).decode()


def see_through(colour: tuple[int, int, int]) -> Image.Image:
    """Stripes with a hole in which, under full transparency, ``colour`` lies."""
    image = pictures.stripes().convert("RGBA")
    image.paste((*colour, 0), (100, 100, 300, 300))
    return image


def test_what_nobody_sees_does_not_count(studio: Studio) -> None:
    """tencent-ailab/IP-Adapter#106, AUTOMATIC1111/stable-diffusion-webui#6762 and #8373: PNGs of 32 bits."""
    white = pictures.stripes()
    white.paste((255, 255, 255), (100, 100, 300, 300))
    for hidden in ((0, 0, 0), (255, 0, 255)):
        assert studio.styled({"image": png(see_through(hidden))}) == studio.styled({"image": png(white)})


def test_a_palette_with_a_transparency_for_each_colour(studio: Studio) -> None:
    """AUTOMATIC1111/stable-diffusion-webui#14958: ValueError in Pillow."""
    image = pictures.stripes().quantize(4)
    half = png(image, transparency=bytes([255, 0, 200, 255]))
    assert isinstance(Image.open(io.BytesIO(base64.b64decode(half))).info["transparency"], bytes)
    levels = np.asarray(image)
    flat = np.asarray(image.convert("RGB")).copy()
    flat[levels == 1] = 255
    assert studio.styled({"image": half}) == studio.styled({"image": png(Image.fromarray(flat))})


# ---- answers ----


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"preset": 0}, "preset"),
        ({"style_weight": "strong"}, "strong"),
        ({"threshold_c": 1}, "threshold_c"),
        ({"combine": 2}, "combine"),
        ({"end": "60%"}, "60%"),
    ],
    ids=str,
)
def test_no_key_and_no_value_is_passed_over(studio: Studio, wish: dict[str, Any], message: str) -> None:
    """Mikubill/sd-webui-controlnet#681 and #2982: a 500, or no effect at all."""
    answer = Api().txt2img(studio.request(**wish))
    assert answer.status_code == 422
    assert message in answer.json()["detail"]


def test_an_encoder_is_known_by_its_tensors(studio: Studio, tmp_path: Path) -> None:
    """cubiq/ComfyUI_IPAdapter_plus#752 and #512: *size mismatch for proj.weight*, from encoders that were mistaken."""
    names = ("ip-adapter_sdxl", "ip-adapter_sdxl_vit-h", "ip-adapter-plus_sdxl_vit-h")
    usual = [studio.styled({"adapter": name}) for name in names]
    found = extension().models.look()
    suiting = {
        name: next(encoder.path for encoder in found.encoders if encoder.suits(adapter))
        for name in names[:2]
        for adapter in found.adapters
        if adapter.path.stem == name
    }
    for name, path in zip(("CLIP-ViT-H-14", "CLIP-ViT-bigG-14"), suiting.values(), strict=True):  # the wrong way round
        (tmp_path / f"{name}{path.suffix}").symlink_to(path)
    studio.host.shared.opts.data["instantstyle_model_folders"] = str(tmp_path)
    studio.forget()
    assert [studio.styled({"adapter": name}) for name in names] == usual
