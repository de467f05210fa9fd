"""Whatever fails, and wherever: a clear error, no hook, and the next pictures are what they were."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from lib_instantstyle.errors import InstantStyleError
from tests.lifecycle.conftest import Studio

# What reads the rows and the texts on each family of hosts.
HOSTS = {"read_call": ("a1111.A1111Pass", "forge.ForgePass"), "text_vectors": ("a1111.A1111Host", "forge.ForgeHost")}
ROWS, TEXTS = (
    f"lib_instantstyle.webui.hosts.{kinds[os.environ['STAND_IN_FLAVOUR'] != 'a1111']}.{name}"
    for name, kinds in HOSTS.items()
)


class DeliberateError(Exception):
    """Raised on purpose."""


@contextmanager
def unet_call(unet: torch.nn.Module, number: int, act: Callable[[], None]) -> Iterator[None]:
    """Run ``act`` inside the ``number``-th call of the UNet, in the middle of the style block."""
    count = 0

    def before(_module: torch.nn.Module, _args: Any) -> None:
        nonlocal count
        count += 1
        if count == number:
            act()

    handle = unet.output_blocks[1][1].transformer_blocks[5].register_forward_pre_hook(before)
    try:
        yield
    finally:
        handle.remove()


def boom() -> None:
    raise DeliberateError("on purpose")


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    "fields", [{}, {"enable_hr": True, "hr_scale": 2, "hr_upscaler": "Latent", "denoising_strength": 0.6}]
)
def test_an_exception_in_the_unet(studio: Studio, number: int, fields: dict[str, Any]) -> None:
    calls = number if not fields else number + 2
    with unet_call(studio.unet, calls, boom), pytest.raises(DeliberateError):
        studio.styled(**fields)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("flag", ["interrupted", "skipped"])
@pytest.mark.parametrize("number", [1, 2])
def test_interrupt_and_skip(studio: Studio, flag: str, number: int) -> None:
    with unet_call(studio.unet, number, lambda: setattr(studio.host.shared.state, flag, True)):
        studio.host.txt2img(studio.request(), n_iter=2)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    "target",
    [
        "lib_instantstyle.models.found_models.FoundModels.find_adapter",
        "lib_instantstyle.webui.encoding.picture_encoder.PictureEncoder.embed",
        "lib_instantstyle.webui.jobs.job.enumerate_sites",
        "lib_instantstyle.webui.styles.prepared_style.image_terms",
        "lib_instantstyle.unet.image_projection.project_linear",
        "lib_instantstyle.webui.jobs.generation.Injection.inject",
        "lib_instantstyle.webui.jobs.infotext.write",
        ROWS,
        TEXTS,
    ],
)
def test_even_an_unforeseen_error_is_raised(studio: Studio, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    studio.forget()
    with monkeypatch.context() as patch:
        patch.setattr(target, lambda *_args, **_kwargs: boom())
        with pytest.raises(DeliberateError):
            studio.styled({"content": "a cat"})


@pytest.mark.usefixtures("unchanged")
def test_rows_that_cannot_be_explained_stop_the_job(studio: Studio) -> None:
    unet = studio.unet

    def stray() -> None:
        foreign = torch.ones(3, 77, 2048)
        unet(torch.zeros(3, 4, 8, 8), timesteps=torch.zeros(3), context=foreign, y=torch.zeros(3, 2816))

    said = "without saying which rows" if studio.host.flavour.chunks else "3 rows"
    with unet_call(unet, 1, stray), pytest.raises(InstantStyleError, match=said):
        studio.styled()


@pytest.mark.usefixtures("unchanged")
def test_reload_ui_while_idle(studio: Studio) -> None:
    studio.styled()
    studio.host.reload()
    assert studio.hooks() == 0


@pytest.mark.usefixtures("unchanged")
def test_reload_ui_after_a_failure(studio: Studio) -> None:
    with unet_call(studio.unet, 1, boom), pytest.raises(DeliberateError):
        studio.styled()
    studio.host.reload()
    assert studio.hooks() == 0


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("checkpoint", ["tiny-sdxl-b", "tiny-sd15", "tiny-refiner"])
def test_a_checkpoint_switch(studio: Studio, checkpoint: str) -> None:
    studio.host.load(f"{checkpoint}.safetensors")
    if checkpoint == "tiny-sdxl-b":
        assert studio.styled() != studio.plain()
    else:
        with pytest.raises(InstantStyleError, match="InstantStyle needs an SDXL base model"):
            studio.styled()
    assert studio.hooks() == 0
    studio.host.load("tiny-sdxl.safetensors")


@pytest.mark.usefixtures("unchanged")
def test_a_model_that_loads_in_mid_sampling_is_taken_hold_of_again(studio: Studio) -> None:
    """The host says that a model was loaded while the same modules stay in use, as in-place reloads do."""
    from modules import script_callbacks

    styled = studio.styled()
    with unet_call(studio.unet, 1, lambda: script_callbacks.model_loaded_callback(studio.host.shared.sd_model)):
        reloaded = studio.styled()
    assert reloaded != studio.plain()
    assert len(reloaded) == len(styled)


def test_no_error_leaves_our_keys_in_the_infotext(studio: Studio) -> None:
    p = studio.host.job(scripts=studio.request())
    with unet_call(studio.unet, 1, boom), pytest.raises(DeliberateError):
        studio.host.run(p)
    p.script_args = studio.host.job().script_args
    assert "InstantStyle" not in studio.host.run(p).infotexts[0]


def test_warn_and_continue(studio: Studio) -> None:
    from lib_instantstyle.webui.setup.settings import ON_ERROR_WARN

    studio.host.shared.opts.data["instantstyle_on_error"] = ON_ERROR_WARN
    plain = studio.plain()
    for style in ({"image": None}, {"adapter": "ip-adapter_sdxl_vit-h", "content": "a cat"}):
        p = studio.host.job(scripts=studio.request(**style))
        processed = studio.host.run(p)
        assert [image.tobytes() for image in processed.images] == plain
        assert "InstantStyle is off for this picture" in processed.comments
        assert "InstantStyle" not in processed.infotexts[0]
