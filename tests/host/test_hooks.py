"""Order of hooks, what they get, and what happens to their exceptions."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.host.launcher import EXTENSION_ROOT

BATCH_START = [
    "before_process_batch",
    "after_extra_networks_activate",
    "process_batch",
    "process_before_every_sampling",
]
STEP = ["cfg_denoiser", "unet", "cfg_denoised", "cfg_after_cfg"]
SAMPLES = ["post_sample", "postprocess_batch", "postprocess_batch_list"]
PICTURE = ["postprocess_image", "postprocess_maskoverlay", "postprocess_image_after_composite"]
START = ["setup", "before_process", "process"]


def picture() -> Image.Image:
    return Image.effect_noise((64, 64), 64).convert("RGB")


def half_mask() -> Image.Image:
    mask = Image.new("L", (64, 64))
    mask.paste(255, (0, 0, 32, 64))
    return mask


def pixels(result) -> np.ndarray:
    return np.asarray(result.images[0]).astype(np.int16)


def test_txt2img(host, recorder):
    host.txt2img(steps=2, n_iter=2, batch_size=2)
    batch = [*BATCH_START, *STEP, *STEP, *SAMPLES, *PICTURE, *PICTURE]
    assert recorder.names == [*START, *batch, *batch, "postprocess"]


def test_hires(host, recorder):
    host.txt2img(steps=2, enable_hr=True, hr_scale=1.5, denoising_strength=0.5, hr_upscaler="Latent")
    second = ["after_extra_networks_activate", "before_hr", "process_before_every_sampling"]
    expected = [*START, *BATCH_START, *STEP, *STEP, *second, *STEP, *STEP, *SAMPLES, *PICTURE, "postprocess"]
    assert recorder.names == expected
    assert [details["hires"] for details in recorder.named("process_before_every_sampling")] == [False, True]


def test_inpainting_blends_after_each_step_of_a_sigma_sampler(host, recorder):
    host.img2img(init_images=[picture()], mask=half_mask(), steps=4, denoising_strength=0.5, inpaint_full_res=False)
    step = ["cfg_denoiser", "unet", "cfg_denoised", "on_mask_blend", "cfg_after_cfg"]
    expected = [*START, *BATCH_START, *step * 3, "on_mask_blend", *SAMPLES, *PICTURE, "postprocess"]
    assert recorder.names == expected
    assert [details["final"] for details in recorder.named("on_mask_blend")] == [False] * 3 + [True]


def test_inpainting_blends_before_each_step_of_a_timestep_sampler(host, recorder):
    host.img2img(init_images=[picture()], mask=half_mask(), sampler_name="DDIM", steps=6, denoising_strength=0.6)
    step = ["on_mask_blend", *STEP]
    assert recorder.names == [
        *START, *BATCH_START, *step * 2, "on_mask_blend", *SAMPLES, *PICTURE, "postprocess",
    ]  # fmt: skip


def test_img2img_uses_one_sampler_for_all_batches(host, recorder):
    host.img2img(init_images=[picture()], steps=2, n_iter=2)
    first, second = (details["sampler"] for details in recorder.named("process_before_every_sampling"))
    assert first is second


def test_every_hook_gets_the_scripts_own_arguments(host, recorder):
    host.txt2img({"Probe: Hooks": [True, 0.25, "own"]}, steps=1)
    received = {details["args"] for _, details in recorder.events if "args" in details}
    assert received == {(True, 0.25, "own")}


def test_sampling_hook_sees_the_noise_and_the_conditionings(host, recorder):
    host.txt2img(prompt="a AND b", steps=1)
    details = recorder.named("process_before_every_sampling")[0]
    assert details["x"] is details["noise"]
    assert [len(parts) for parts in details["c"].batch] == [2]
    assert type(details["uc"][0][0]).__name__ == "ScheduledPromptConditioning"


@pytest.fixture(scope="module")
def undisturbed(_probed_host) -> np.ndarray:
    return pixels(_probed_host.txt2img(steps=1))


@pytest.mark.parametrize(
    "hook", [*START, *BATCH_START, *SAMPLES, *PICTURE, "postprocess", "cfg_denoiser", "cfg_after_cfg"]
)
def test_exceptions_of_hooks_are_reported_and_swallowed(host, recorder, undisturbed, hook, capsys):
    recorder.failing.add(hook)
    result = host.txt2img(steps=1)
    assert np.array_equal(pixels(result), undisturbed)
    assert f"boom in {hook}" in capsys.readouterr().err


def test_an_exception_in_the_unet_ends_the_job_without_postprocess(host, recorder):
    unet = host.shared.sd_model.model.diffusion_model

    def fail(*_args: object) -> None:
        raise RuntimeError("boom in unet")

    handle = unet.register_forward_hook(fail)
    try:
        with pytest.raises(RuntimeError, match="boom in unet"):
            host.txt2img(steps=2)
    finally:
        handle.remove()
    assert recorder.names == [*START, *BATCH_START, "cfg_denoiser", "unet"]


def test_interrupt_keeps_what_there_is_and_runs_the_later_hooks(host, recorder, monkeypatch):
    state = host.shared.state
    monkeypatch.setattr(state, "interrupted", False)
    unet = host.shared.sd_model.model.diffusion_model
    handle = unet.register_forward_hook(lambda *_: state.interrupt())
    try:
        result = host.txt2img(steps=4, n_iter=2)
    finally:
        handle.remove()
    assert recorder.names == [*START, *BATCH_START, *STEP, *SAMPLES, *PICTURE, "postprocess"]
    assert len(result.images) == 1


@pytest.mark.parametrize("checkpoint", ["tiny-sd15.safetensors", "tiny-refiner.safetensors"])
def test_other_kinds_of_models_generate(host, checkpoint):
    host.load(checkpoint)
    assert host.txt2img(steps=1).images[0].size == (64, 64)


def test_sizes_that_halve_badly(host):
    assert host.txt2img(steps=1, width=136, height=72).images[0].size == (136, 72)


def test_an_override_comes_back_only_if_the_setting_was_saved_before(host):
    opts = host.shared.opts
    opts.data["upcast_attn"] = False
    opts.data.pop("emphasis", None)
    host.txt2img(steps=1, override_settings={"upcast_attn": True, "emphasis": "None"})
    assert opts.upcast_attn is False
    assert opts.emphasis == "None"


def test_results_repeat(host):
    first, second = host.txt2img(sampler_name="Euler a"), host.txt2img(sampler_name="Euler a")
    assert first.images[0].tobytes() == second.images[0].tobytes()


@pytest.mark.parametrize("optimizer", ["None", "sdp", "V1", "sub-quadratic", "InvokeAI"])
def test_optimizers_agree_and_call_the_attention_s_parts(host, optimizer):
    from modules import sd_hijack

    plain = pixels(host.txt2img(steps=1))
    attn2 = host.shared.sd_model.model.diffusion_model.middle_block[1].transformer_blocks[0].attn2
    fired = []
    handles = [
        attn2.to_q.register_forward_hook(lambda *_: fired.append("to_q")),
        attn2.to_out[0].register_forward_pre_hook(lambda *_: fired.append("to_out")),
    ]
    try:
        sd_hijack.apply_optimizations(optimizer)
        other = pixels(host.txt2img(steps=1))
    finally:
        for handle in handles:
            handle.remove()
        sd_hijack.apply_optimizations()
    assert fired == ["to_q", "to_out"]
    assert np.abs(plain - other).max() <= 1


def test_the_real_extension_loads(host):
    host.use_extensions(EXTENSION_ROOT)
    assert "instantstyle" in host.runner().title_map
