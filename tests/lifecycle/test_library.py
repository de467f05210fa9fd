"""The style library where users meet it: routes, cards and prompts, with files that cannot be used and twins among them."""

from __future__ import annotations

import base64
import json
import unicodedata
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from lib_instantstyle.models.vision_tower import VisionTower
from tests.host.doors import Api
from tests.lifecycle.conftest import Studio

STYLES = "/instantstyle/styles"
THAI, DECOMPOSED = "หมึกจีน", unicodedata.normalize("NFD", "Ölkreide é")


@pytest.fixture
def api(studio: Studio) -> Api:
    return Api()


@pytest.fixture
def content(studio: Studio) -> bytes:
    return studio.style_file()


def put(folder: Path, content: bytes, *stems: str) -> None:
    for stem in stems:
        (folder / f"{stem}.safetensors").write_bytes(content)


def cards() -> str:
    from modules import ui_extra_networks

    page = next(page for page in ui_extra_networks.extra_pages if page.name == "instantstyle")
    return str(page.create_html("txt2img"))


def listed(api: Api) -> dict[str, dict[str, Any]]:
    answer = api.request("GET", STYLES)
    assert answer.status_code == 200, answer.text
    return {entry["name"]: entry for entry in answer.json()}


def test_unusable_files_cost_their_own_line_and_card(api: Api, folder: Path, content: bytes) -> None:
    put(folder, content, "good", "cut off", "noted", "listed", "numbered", " spaced ", "badly.noted")
    (folder / "cut off.safetensors").write_bytes(content[:-1])
    (folder / "empty.safetensors").touch()
    (folder / "a folder.safetensors").mkdir()
    (folder / "nowhere.safetensors").symlink_to(folder / "gone")
    (folder / "circle.safetensors").symlink_to(folder / "circle.safetensors")
    (folder / "noted.json").write_text(json.dumps({"description": "kept dry"}))
    (folder / "listed.json").write_text("[]")
    (folder / "numbered.json").write_text(json.dumps({"description": 5}))
    (folder / "badly.noted.json").write_bytes(b"\xff{")
    names = {"good", "noted", "listed", "numbered", "spaced", "badly.noted", "cut off", "empty"}
    entries = listed(api)
    assert names <= set(entries)
    assert {name for name in names if "error" in entries[name]} == {"cut off", "empty"}
    html = cards()
    assert all(f"instantstyle:{name}:" in html for name in names)
    assert "kept dry" in html
    for name in names - {"cut off", "empty"}:
        assert api.txt2img({}, prompt=f"a house <instantstyle:{name}:1>").status_code == 200, name


def test_cards_come_where_the_host_has_no_embedded_previews(
    folder: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forge Classic has none."""
    from modules import ui_extra_networks, ui_extra_networks_routes

    monkeypatch.delattr(ui_extra_networks.ExtraNetworksPage, "find_embedded_preview")
    put(folder, content, "ink")
    assert "instantstyle:ink:" in cards()
    put(folder, content, "wash")  # since the cards were listed
    assert b"instantstyle:wash:" in ui_extra_networks_routes.get_single_card("instantstyle", "txt2img", "wash").body


def test_cards_follow_what_lies_beside_the_styles(folder: Path, content: bytes) -> None:
    put(folder, content, "ink")
    first = cards()
    assert cards() == first
    (folder / "ink.json").write_text(json.dumps({"description": "kept dry"}))
    assert "kept dry" in cards()
    (folder / "ink.preview.png").touch()
    assert "ink.preview.png" in cards()
    put(folder, content, "wash")
    assert "instantstyle:wash:" in cards()
    (folder / "ink.safetensors").unlink()
    assert "instantstyle:ink:" not in cards()


@pytest.mark.parametrize("name", [THAI, DECOMPOSED, "स्याही", "மை", "حِبْر", "نقاشی‌ها"])
def test_a_name_in_any_script_goes_all_ways(studio: Studio, api: Api, folder: Path, content: bytes, name: str) -> None:
    composed = unicodedata.normalize("NFC", name)
    body: dict[str, Any] = {"name": name, "file": base64.b64encode(content).decode()}
    assert api.request("POST", STYLES, body).json()["name"] == composed
    assert api.request("POST", STYLES, body).status_code == 409
    assert composed in listed(api)
    assert f"instantstyle:{composed}:" in cards()
    for spelt in (name, composed):
        assert api.request("GET", f"{STYLES}/{quote(spelt)}").json()["name"] == composed
        for answer in (
            api.txt2img({}, prompt=f"a house <instantstyle:{spelt}:1>"),
            api.txt2img(studio.request(image=None, style=spelt)),
        ):
            assert answer.status_code == 200, answer.text
            assert composed in unicodedata.normalize("NFC", json.loads(answer.json()["info"])["infotexts"][0])
    assert api.request("DELETE", f"{STYLES}/{quote(name)}").status_code == 200
    assert composed not in listed(api)


def test_a_style_in_the_spelling_of_a_mac(api: Api, folder: Path, content: bytes) -> None:
    put(folder, content, DECOMPOSED)
    composed = unicodedata.normalize("NFC", DECOMPOSED)
    assert composed in listed(api)
    for name in (composed, DECOMPOSED):
        assert api.txt2img({}, prompt=f"a house <instantstyle:{name}:1>").status_code == 200
    assert api.request("DELETE", f"{STYLES}/{quote(composed)}").status_code == 200
    assert not (folder / f"{DECOMPOSED}.safetensors").exists()


def test_deleting_a_style_leaves_its_twin(api: Api, folder: Path, content: bytes) -> None:
    put(folder, content, "Ink", "ink")
    assert {"Ink", "ink"} <= set(listed(api))
    info = json.loads(api.txt2img({}, prompt="a house <instantstyle:Ink:1><instantstyle:ink:0.5>").json()["info"])
    assert "Ink: " in info["infotexts"][0]
    assert ", ink: " in info["infotexts"][0]
    answer = api.txt2img({}, prompt="a house <instantstyle:INK:1>")
    assert (answer.status_code, "no saved style 'INK'" in answer.json()["detail"]) == (422, True)
    assert [api.request("DELETE", f"{STYLES}/Ink").status_code for _ in range(2)] == [200, 404]
    assert (folder / "ink.safetensors").exists()


def test_a_name_with_brackets_stays_one(studio: Studio, api: Api, folder: Path, content: bytes) -> None:
    """AIrjen/OneButtonPrompt#64; emphasis around the tag too."""
    put(folder, content, "some ink (dry)")
    for prompt in ("a house <instantstyle:some ink (dry):0.5>", "((a house <instantstyle:some ink (dry):0.5>:1.2))"):
        info = json.loads(api.txt2img({}, prompt=prompt).json()["info"])["infotexts"][0]
        assert "some ink (dry): " in info


def test_a_dot_ends_no_name(api: Api, folder: Path, content: bytes) -> None:
    """anapnoe/stable-diffusion-webui-ux-forge#7: FLUX.1-dev and FLUX.1-schnell shared one thumbnail."""
    put(folder, content, "FLUX.1-dev", "FLUX.1-schnell", "FLUX")
    for name in ("FLUX.1-dev", "FLUX.1-schnell", "FLUX"):
        (folder / f"{name}.preview.png").touch()
        (folder / f"{name}.json").write_text(json.dumps({"description": f"this is {name} itself"}))
    html = cards()
    for name in ("FLUX.1-dev", "FLUX.1-schnell", "FLUX"):
        assert f"{name}.preview.png" in html
        assert f"this is {name} itself" in html
    assert api.request("DELETE", f"{STYLES}/FLUX.1-dev").status_code == 200
    assert sorted(path.name for path in folder.glob("FLUX*")) == sorted(
        f"{name}{suffix}" for name in ("FLUX.1-schnell", "FLUX") for suffix in (".json", ".preview.png", ".safetensors")
    )


@pytest.mark.parametrize(
    "name",
    ["Digital/Oil painting", "___*NEGATIVE PROMPTS ONLY___", "test :)", "CON.txt", "nul.json", "COM1.foo", "CONIN$", "ink.", "New Co-op?"],
)  # fmt: skip
def test_what_is_no_file_name_everywhere_is_refused_by_name(api: Api, folder: Path, content: bytes, name: str) -> None:
    """javsezlol1/Stylez#3, masatoImayama/rough2ink#22, HarbourMasters/Shipwright#6712."""
    before = set(folder.iterdir())
    answer = api.request("POST", STYLES, {"name": name, "file": base64.b64encode(content).decode()})
    assert answer.status_code == 422
    assert f"{name!r} cannot be the name of a style" in answer.json()["detail"]
    assert set(folder.iterdir()) == before


def test_a_name_without_one_latin_letter(api: Api, folder: Path, content: bytes) -> None:
    """javsezlol1/Stylez#18: names in Chinese came out empty, and the extension did not load."""
    assert api.request("POST", STYLES, {"name": "水墨", "file": base64.b64encode(content).decode()}).status_code == 200
    assert "水墨" in listed(api)
    assert "instantstyle:水墨:" in cards()


@pytest.mark.parametrize("sent", ["style", "file"])
def test_a_name_that_is_taken_is_refused_before_the_encoder(
    studio: Studio,
    api: Api,
    folder: Path,
    content: bytes,
    sent: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """oobabooga/textgen#7622: what is wrong with a name was said after the work."""
    put(folder, content, "ink")
    studio.forget()
    monkeypatch.setattr(VisionTower, "__init__", lambda *_: pytest.fail("The encoder was loaded."))
    body = {"style": {"image": studio.reference}} if sent == "style" else {"file": base64.b64encode(content).decode()}
    answer = api.request("POST", STYLES, {"name": "Ink", **body})
    assert (answer.status_code, "There is a style 'ink' already" in answer.json()["detail"]) == (409, True)
