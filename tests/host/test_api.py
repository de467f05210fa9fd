"""The API's rules: contract of the real host, section 2.7. One stand-in process for all of these tests."""

from __future__ import annotations

import base64
import io
import json
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
import webuiapi
from PIL import Image

from tests.host import start
from tests.host.client import SMALL, TIMEOUT, Client

PROBE = "Probe: Hooks"


@pytest.fixture(scope="module")
def client(models_dir, probe_extension):
    arguments = ("--api", "--extension", str(probe_extension), "--no-hashing", "--ckpt", "tiny-sdxl.safetensors")
    with start(models_dir, *arguments, "--api-server-stop", "--skip-install", extension=False) as host:
        yield Client(host.url)


def encoded(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.mark.parametrize(
    ("scripts", "status", "detail"),
    [
        ({"nope": {"args": []}}, 422, "Script 'nope' not found"),
        ({"X/Y/Z plot": {"args": []}}, 422, "Cannot have a selectable script in the always on scripts params"),
        ({PROBE: {"args": {"a": 1}}}, 500, ""),
        ({PROBE: {"args": None}}, 500, ""),
        ({PROBE: None}, 500, ""),
        ({"": {"args": []}}, 500, ""),
    ],
)
def test_refused_scripts(client, scripts, status, detail):
    answer = client.txt2img(scripts)
    assert (answer.status, answer.body["detail"]) == (status, detail)
    assert set(answer.body) == {"error", "detail", "body", "errors"}


@pytest.mark.parametrize("scripts", [None, ["Probe: Hooks"]])
def test_scripts_must_be_an_object(client, scripts):
    assert client.request("/sdapi/v1/txt2img", {**SMALL, "alwayson_scripts": scripts}).status == 422


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"args": [True]}, "plain"),
        ({"args": [True, 0.1, "given", "too", "many"]}, "given"),
        ({"args": [True, None, {"a": 1}]}, "\"{'a': 1}\""),
        ({"args": "abc"}, "c"),
    ],
)
def test_accepted_arguments(client, entry, text):
    answer = client.txt2img({PROBE.upper(): entry})
    assert answer.status == 200
    assert f"Probe text: {text}" in answer.infotext


@pytest.mark.parametrize("entry", [{"args": {}}, {}, [True], {"args": []}])
def test_ignored_arguments(client, entry):
    answer = client.txt2img({PROBE: entry})
    assert answer.status == 200
    assert "Probe text" not in answer.infotext


def test_explicit_null_is_passed_on(client):
    answer = client.txt2img({PROBE: {"args": [True, 0.5, None]}})
    assert "Probe text" not in answer.infotext


def test_unknown_sampler_falls_back_to_the_first(client):
    answer = client.txt2img(sampler_name="No such sampler")
    assert answer.status == 200
    assert "Sampler: DPM++ 2M" in answer.infotext


def test_infotext_fills_what_the_request_leaves_open(client):
    text = (
        "a castle\nSteps: 2, Sampler: Heun, Seed: 5, CFG scale: 3, Size: 64x64, Probe weight: 0.2, Probe text: pasted"
    )
    request = {"infotext": text, "steps": 1, "width": 64, "height": 64}
    answer = client.request("/sdapi/v1/txt2img", request)
    assert "Steps: 1, Sampler: Heun" in answer.infotext
    assert "Probe text: pasted" in answer.infotext
    explicit = {"alwayson_scripts": {PROBE: {"args": [True, 0.9, "explicit"]}}}
    assert "Probe text: explicit" in client.request("/sdapi/v1/txt2img", request | explicit).infotext


def test_img2img_needs_a_picture(client):
    assert client.request("/sdapi/v1/img2img", SMALL).status == 404
    broken = client.request("/sdapi/v1/img2img", {**SMALL, "init_images": ["!!!"]})
    assert (broken.status, broken.body["detail"]) == (500, "Invalid encoded image")


def test_local_addresses_are_not_fetched(client):
    answer = client.request("/sdapi/v1/img2img", {**SMALL, "init_images": ["http://127.0.0.1/x.png"]})
    assert (answer.status, answer.body["detail"]) == (500, "Request to local resource not allowed")
    client.request("/sdapi/v1/options", {"api_forbid_local_requests": False})
    assert client.request("/sdapi/v1/options").body["api_forbid_local_requests"] is True


@pytest.mark.parametrize("only_masked", [True, False])
def test_inpainting_keeps_what_is_not_masked(client, only_masked):
    picture = Image.effect_noise((96, 96), 64).convert("RGB")
    mask = Image.new("L", (96, 96))
    mask.paste(255, (8, 8, 40, 40))
    fields = {"init_images": [encoded(picture)], "mask": encoded(mask), "mask_blur": 0, "inpaint_full_res": only_masked}
    answer = client.request("/sdapi/v1/img2img", {**SMALL, **fields, "width": 96, "height": 96, "steps": 2})
    result = Image.open(io.BytesIO(base64.b64decode(answer.body["images"][0])))
    kept = (48, 48, 96, 96)
    assert result.crop(kept).tobytes() == picture.crop(kept).tobytes()
    assert result.crop((16, 16, 32, 32)).tobytes() != picture.crop((16, 16, 32, 32)).tobytes()


def test_xyz_plot_by_script_name(client):
    names = _script_info(client, "x/y/z plot")["args"][0]["choices"]
    axes = [names.index("Steps"), "1,2", [], names.index("Seed"), "1-3", [], 0, "", []]
    arguments = [*axes, True, True, False, False, False, False, False, 0, False]
    answer = client.txt2img(script_name="X/Y/Z plot", script_args=arguments)
    assert answer.status == 200
    assert len(answer.body["images"]) == 7  # the grid and its cells
    assert (
        "Steps: 2, Sampler: Euler, Schedule type: Automatic, CFG scale: 7.0, Seed: 3"
        in json.loads(answer.body["info"])["infotexts"][-1]
    )


def _script_info(client: Client, name: str) -> dict[str, Any]:
    scripts = client.request("/sdapi/v1/script-info").body
    return next(script for script in scripts if script["name"] == name and not script["is_img2img"])


def test_script_info_describes_the_controls(client):
    info = _script_info(client, PROBE.lower())
    assert info["is_alwayson"]
    assert [(arg["label"], arg["value"]) for arg in info["args"]] == [
        ("Probe", False), ("Weight", 0.5), ("Text", "plain"),
    ]  # fmt: skip


def test_lists(client):
    assert PROBE.lower() in client.request("/sdapi/v1/scripts").body["img2img"]
    for path in ("samplers", "schedulers", "upscalers", "sd-models", "loras", "embeddings", "memory", "extensions"):
        assert client.request(f"/sdapi/v1/{path}").status == 200


def test_png_info_reads_what_a_picture_says(client):
    answer = client.txt2img({PROBE: {"args": [True, 0.5, "there, and: back"]}})
    info = client.request("/sdapi/v1/png-info", {"image": answer.body["images"][0]}).body
    assert info["info"] == answer.infotext
    assert info["parameters"]["Probe text"] == "there, and: back"


def test_override_settings_switch_the_checkpoint_for_one_job(client):
    other = client.txt2img(override_settings={"sd_model_checkpoint": "tiny-sdxl-b.safetensors"})
    assert "Model: tiny-sdxl-b" in other.infotext
    assert "Model: tiny-sdxl," in client.txt2img().infotext


def test_webuiapi_client(client):
    host, port = client.url.removeprefix("http://").split(":")
    api = webuiapi.WebUIApi(host=host, port=int(port), sampler="Euler", steps=1)
    result = api.txt2img(prompt="a house", width=64, height=64, seed=1)
    again = api.img2img(images=[result.image], prompt="a house", width=64, height=64, seed=1, denoising_strength=0.5)
    assert result.image.size == again.image.size == (64, 64)
    assert result.parameters["steps"] == 1
    assert "Euler" in [sampler["name"] for sampler in api.get_samplers()]


def test_the_page_has_the_ids_that_scripts_look_for(client):
    with urllib.request.urlopen(client.url, timeout=TIMEOUT) as response:
        page = response.read().decode()
    for elem_id in ("txt2img_prompt", "txt2img_generate", "txt2img_gallery", "html_info_txt2img", "img2img_image"):
        assert f'"elem_id":"{elem_id}"' in page.replace(" ", "")
    assert "script.js?" in page


def test_reload_ui_serves_a_new_page_on_the_same_port(client):
    before = client.txt2img({PROBE: {"args": [True, 0.5, "kept"]}})
    client.request("/internal/reload-ui", {})
    time.sleep(1)  # the answer comes before the reload
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        try:
            after = client.txt2img({PROBE: {"args": [True, 0.5, "kept"]}})
            break
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    assert after.infotext == before.infotext
    assert after.body["images"] == before.body["images"]


def test_api_auth(models_dir):
    with start(models_dir, "--api-auth", "me:secret", "--nowebui", "--no-hashing", extension=False) as host:
        client = Client(host.url)
        token = base64.b64encode(b"me:secret").decode()
        assert client.request("/sdapi/v1/samplers").status == 401
        assert client.request("/sdapi/v1/samplers", headers={"Authorization": f"Basic {token}"}).status == 200
