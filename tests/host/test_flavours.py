"""The Forge family as the stand-in plays it: rows, hooks, models, loaders, the API. Run with ``--flavour``."""

from __future__ import annotations

import importlib.util
import json
import pickle
import struct
from pathlib import Path

import pytest
import safetensors.torch
import torch

from tests.host import start
from tests.host.client import SMALL, Client
from tests.host.doors import Api
from tests.host.inprocess import in_process

pytestmark = pytest.mark.each_host
HIRES = {"enable_hr": True, "hr_scale": 1.5, "denoising_strength": 0.5, "hr_upscaler": "Latent"}
MORE_HIRES = {"hr_additional_modules": ["Use same choices"], "hr_cfg": 5.0}
LONG = "word " * 20  # two chunks of tokens
TILES = Path(__file__).parent / "tiles"


@pytest.fixture
def traits(host):
    return host.flavour


def kinds(recorder) -> list[list[int]]:
    return [call.options["cond_or_uncond"] for call in recorder.calls]


def named(recorder) -> list[list[str]]:
    return [recorder.classify(call) for call in recorder.calls]


@pytest.fixture
def memory(host):
    from modules.forge_memory import memory

    yield memory
    memory.rows = None
    memory.asked.clear()


# ---- rows ----


def test_the_last_chunk_comes_first(host, recorder):
    host.txt2img(prompt=["a", "b"], negative_prompt="bad", batch_size=2, steps=1)
    (call,) = recorder.calls
    assert recorder.classify(call) == ["u0", "u0", "c0", "c1"]
    assert call.options["cond_or_uncond"] == [1, 0]
    assert call.options["sigmas"].shape == (2,)
    assert call.timesteps.shape == (4,)
    assert call.timesteps[0] == 999


def test_parts_are_chunks_with_the_pictures_inside(host, recorder):
    host.txt2img(prompt=["a AND b", "c AND d"], negative_prompt="bad", batch_size=2, steps=1)
    assert kinds(recorder) == [[1, 0, 0]]
    assert named(recorder) == [["u0", "u0", "c1", "c3", "c0", "c2"]]


def test_a_picture_with_more_parts_loses_them(host, recorder):
    host.txt2img(prompt=["a", "b AND c"], negative_prompt="bad", batch_size=2, steps=1)
    assert named(recorder) == [["u0", "u0", "c0", "c1"]]


def test_cfg_of_one_has_no_negative(host, recorder, traits):
    host.txt2img(negative_prompt="bad", cfg_scale=1, steps=1)
    assert kinds(recorder) == [[0]]
    (step,) = recorder.named("cfg_denoiser")
    assert (step["params"].text_uncond is None) == traits.drops_negative
    (hook,) = recorder.named("process_before_every_sampling")
    assert (hook["uc"] is None) == traits.drops_negative


def test_skipped_negatives(host, recorder):
    host.shared.opts.skip_early_cond = 0.5
    host.txt2img(negative_prompt="bad", steps=4)
    assert kinds(recorder) == [[0], [0], [0], [1, 0]]


def test_a_shorter_text_is_repeated_to_share_the_call(host, recorder):
    host.txt2img(prompt=LONG, negative_prompt="bad", steps=1)
    (call,) = recorder.calls
    assert call.options["cond_or_uncond"] == [1, 0]
    half = call.context.shape[1] // 2
    assert torch.equal(call.context[0, :half], call.context[0, half:])
    assert not torch.equal(call.context[1, :half], call.context[1, half:])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [(6, [[1, 0, 0]]), (4, [[1], [0, 0]]), (2, [[1], [0], [0]]), (1, [[1], [0], [0]])],
)
def test_little_memory_splits_a_step(host, recorder, memory, rows, expected):
    memory.rows = rows
    host.txt2img(prompt="a AND b", negative_prompt="bad", batch_size=2, steps=1)
    assert kinds(recorder) == expected
    assert all(call.options["sigmas"].shape == (2,) for call in recorder.calls)


def test_splitting_does_not_change_the_picture(host, memory):
    whole = host.txt2img(prompt="a AND b", batch_size=2).images[0]
    memory.rows = 2
    split = host.txt2img(prompt="a AND b", batch_size=2).images[0]
    assert max(abs(a - b) for a, b in zip(whole.tobytes(), split.tobytes(), strict=True)) <= 2


def test_tiles_repeat_the_rows_and_change_nothing_else(host, recorder, probe_extension):
    host.use_extensions(probe_extension, TILES)
    host.txt2img({"Tiles": [5, 2]}, prompt="a", negative_prompt="bad", steps=1)
    assert named(recorder) == [["u0", "c0"] * 2, ["u0", "c0"] * 2, ["u0", "c0"]]
    assert kinds(recorder) == [[1, 0]] * 3
    assert all(call.options["sigmas"].shape == (1,) for call in recorder.calls)
    recorder.clear()
    host.txt2img(prompt="a", negative_prompt="bad", steps=1)
    assert named(recorder) == [["u0", "c0"]]


@pytest.mark.parametrize("sampler", ["Euler a", "DPM++ 2M", "Heun", "DDIM", "UniPC"])
def test_samplers_of_both_kinds(host, recorder, sampler):
    host.txt2img(sampler_name=sampler, steps=3)
    assert recorder.calls
    assert set(map(tuple, kinds(recorder))) == {(1, 0)}


def test_everything_runs_in_inference_mode(host, recorder):
    host.txt2img(steps=1)
    assert recorder.calls[0].x.is_inference()
    assert recorder.calls[0].context.is_inference()


# ---- hooks ----


def test_the_hires_pass_is_announced_as_often_as_there(host, recorder, traits):
    host.txt2img(steps=1, **HIRES, **MORE_HIRES)
    hooks = recorder.named("process_before_every_sampling")
    assert [hook["hires"] for hook in hooks] == [False] + [True] * traits.hires_announcements
    assert hooks[1]["sampler"] is hooks[-1]["sampler"]
    assert traits.hires_announcements == (2 if traits.name == "forge" else 1)


def test_the_denoised_callback_never_comes(host, recorder):
    host.txt2img(steps=2)
    assert recorder.names.count("cfg_denoiser") == recorder.names.count("cfg_after_cfg") == 2
    assert "cfg_denoised" not in recorder.names


def test_the_hires_pass_has_a_cfg_of_its_own(host, recorder, traits):
    host.txt2img(steps=1, **HIRES, **(MORE_HIRES | {"hr_cfg": 1.0}))
    assert kinds(recorder) == [[1, 0]] + [[0] if traits.hires_cfg else [1, 0]] * (len(recorder.calls) - 1)


# ---- models ----


def test_the_model_object(host, traits):
    from modules import sd_models

    model = host.shared.sd_model
    assert model is sd_models.model_data.sd_model
    unet = model.forge_objects.unet
    assert unet.model.diffusion_model is unet.clone().model.diffusion_model is host.unet
    towers = model.forge_objects.clip.cond_stage_model
    if traits.name == "forge":
        assert not hasattr(model, "model")
        assert not hasattr(model, "conditioner")
        assert towers.clip_g.transformer.text_projection.weight.shape[-1] == 1280
    else:
        assert model.model.diffusion_model is host.unet
        assert towers.clip_g.text_projection.shape[-1] == 1280
        assert not any(hasattr(getattr(e, "wrapped", e), "model") for e in model.conditioner.embedders)
    assert model.get_learned_conditioning(["a"])["vector"].shape == (1, 2816)


def test_another_checkpoint_is_another_object(host, recorder):
    old = host.shared.sd_model
    host.load("tiny-sdxl-b.safetensors")
    assert host.shared.sd_model is not old
    assert [event["model"] for event in recorder.named("model_loaded")] == [host.shared.sd_model]


def test_only_a_job_loads_on_forge(host, recorder, traits):
    from modules import sd_models
    from modules.forge_models import FakeInitialModel

    assert hasattr(sd_models, "forge_model_reload") == traits.loads_with_job
    if not traits.loads_with_job:
        return
    host.forget_model()
    assert isinstance(host.shared.sd_model, FakeInitialModel)
    assert not hasattr(host.shared.sd_model, "forge_objects")
    assert sd_models.load_model() is sd_models.reload_model_weights() is None
    assert isinstance(host.shared.sd_model, FakeInitialModel)
    host.txt2img(steps=1)
    order = [name for name in recorder.names if name in ("before_process", "model_loaded", "process")]
    assert order == ["before_process", "model_loaded", "process"]
    model, fresh = sd_models.forge_model_reload()
    assert (model, fresh) == (host.shared.sd_model, False)


def test_refiner_and_hires_checkpoint(host, recorder):
    base = host.shared.sd_model.sd_checkpoint_info.model_name
    for fields in (
        {"steps": 4, "refiner_checkpoint": "tiny-refiner.safetensors", "refiner_switch_at": 0.5},
        {"steps": 1, "hr_checkpoint_name": "tiny-sdxl-b.safetensors", **HIRES, **MORE_HIRES},
    ):
        recorder.clear()
        result = host.txt2img(**fields)
        assert len(recorder.named("model_loaded")) == 1
        assert host.shared.sd_model.sd_checkpoint_info.model_name != base
        assert "Refiner: tiny-refiner" in result.infotexts[0] or "Hires checkpoint" in result.infotexts[0]
        host.txt2img(steps=1)
        assert host.shared.sd_model.sd_checkpoint_info.model_name == base


def test_a_checkpoint_of_one_job(host):
    result = host.txt2img(steps=1, override_settings={"sd_model_checkpoint": "tiny-sdxl-b.safetensors"})
    assert "Model: tiny-sdxl-b" in result.infotexts[0]
    assert "Model: tiny-sdxl," in host.txt2img(steps=1).infotexts[0]


# ---- loaders, packages, notes ----


def test_torch_blames_files_that_are_named_by_a_text(host, tmp_path):
    path = tmp_path / "junk.bin"
    path.write_bytes(b"junk")
    with pytest.raises(ValueError, match=r"^[^:]*$"):
        torch.load(path, weights_only=True)
    with pytest.raises((pickle.UnpicklingError, struct.error)):
        torch.load_origin(str(path), weights_only=True)
    assert path.exists()
    with pytest.raises(ValueError, match=r"moved to .*junk\.bin\.corrupted"):
        torch.load(str(path), weights_only=True)
    assert [file.name for file in tmp_path.iterdir()] == ["junk.bin.corrupted"]


def test_a_tensor_file_that_is_not_there(host, traits, tmp_path):
    with pytest.raises(ValueError if traits.blames_safetensors else FileNotFoundError):
        safetensors.torch.load_file(str(tmp_path / "absent.safetensors"))


def test_extensions_know_the_family_by_its_packages(host, memory, traits):
    assert importlib.util.find_spec("modules_forge")
    assert bool(importlib.util.find_spec("backend")) == (traits.name == "forge")
    assert bool(importlib.util.find_spec("ldm_patched")) == (traits.name != "forge")
    manager = importlib.import_module(
        "backend.memory_management" if traits.name == "forge" else "ldm_patched.modules.model_management"
    )
    manager.free_memory(5, torch.device("cpu"))
    assert memory.asked == [(5, torch.device("cpu"))]


def test_nothing_is_kept_off_the_device(host):
    from modules import lowvram

    assert not lowvram.is_enabled(host.shared.sd_model)


def test_notes_of_prompts(host, traits):
    from modules.sd_hijack import model_hijack

    host.shared.opts.emphasis = "None"
    assert "Emphasis: None" in host.txt2img(prompt="(a:1.5)", steps=1).infotexts[0]
    assert "Emphasis" not in host.txt2img(prompt="a", steps=1).infotexts[0]
    assert hasattr(model_hijack, "extra_generation_params") != traits.notes_on_model
    assert hasattr(host.shared.sd_model, "extra_generation_params") == traits.notes_on_model


def test_notes_of_whatever_was_encoded_reach_the_next_job_on_forge(host, traits):
    host.shared.opts.emphasis = "None"
    host.txt2img(prompt="a", steps=1)
    host.shared.sd_model.get_learned_conditioning(["(b:1.5)"])
    assert ("Emphasis" in host.txt2img(prompt="c", steps=1).infotexts[0]) == traits.notes_on_model


def test_previews_in_metadata(host, traits):
    from modules.ui_extra_networks import ExtraNetworksPage

    assert hasattr(ExtraNetworksPage, "find_embedded_preview") == traits.embedded_previews


# ---- the API ----


def test_an_unforeseen_error(host, traits):
    broken = Api().request("POST", "/sdapi/v1/txt2img", {**SMALL, "alwayson_scripts": {"": {"args": []}}})
    assert broken.status_code == 500
    assert set(broken.json()) == {"error", "detail", "body", traits.error_key}
    assert traits.error_key == ("message" if traits.name == "forge" else "errors")
    refused = Api().request("POST", "/sdapi/v1/txt2img", {**SMALL, "alwayson_scripts": {"nobody": {"args": []}}})
    assert (refused.status_code, refused.json()["detail"]) == (422, "Script 'nobody' not found")


def test_a_hires_pass_over_the_api(host, traits):
    request = {**SMALL, **HIRES, "steps": 1}
    bare = Api().request("POST", "/sdapi/v1/txt2img", request)
    assert bare.status_code == (500 if traits.needs_hires_modules else 200)
    assert Api().request("POST", "/sdapi/v1/txt2img", {**request, **MORE_HIRES}).status_code == 200


def test_an_infotext_in_a_request(host, traits):
    answer = Api().request("POST", "/sdapi/v1/txt2img", {**SMALL, "infotext": "a\nSteps: 1, Seed: 1, Size: 64x64"})
    assert answer.status_code == (200 if traits.reads_infotext else 500)


def test_a_server_of_its_own(models_dir, traits):
    """By the command line too, and without a model at first."""
    with start(models_dir, "--api", "--flavour", traits.name, "--no-hashing", extension=False) as server:
        client = Client(server.url)
        options = client.request("/sdapi/v1/options").body
        assert not [name for name in options if name.startswith("instantstyle")]
        made = client.txt2img()
        assert made.status == 200
        assert f"Version: {traits.version}" in made.infotext
        plot = next(s for s in client.request("/sdapi/v1/script-info").body if s["name"] == "x/y/z plot")
        assert len(plot["args"]) == 18 + traits.plot_extras
        labels = [arg["label"] for arg in plot["args"]]
        values = [arg["value"] for arg in plot["args"]]
        kinds = [i for i, label in enumerate(labels) if label.endswith(" type")]
        for place in kinds:
            values[place] = 0
        values[kinds[0] : kinds[0] + 3] = [plot["args"][0]["choices"].index("Steps"), "1,2", []]
        values[labels.index("Include Sub Images")] = True
        made = client.txt2img(script_name="X/Y/Z plot", script_args=values)
        assert made.status == 200, made.body
        assert len(json.loads(made.body["info"])["infotexts"]) == 3
        broken = client.txt2img({"": {"args": []}})
        assert traits.error_key in broken.body


def test_a_process_has_one_flavour(host, traits, models_dir):
    other = "forge" if traits.name != "forge" else "reforge"
    with pytest.raises(RuntimeError, match=f"is {traits.name} already"):
        in_process(models_dir, flavour=other)
