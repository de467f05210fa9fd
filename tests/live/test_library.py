"""The style library through its routes, in prompts and in requests."""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

from tests.live import needs
from tests.live.client import WebUI, encoded
from tests.live.test_controls import HIRES, made
from tests.live.test_neighbours import PROMPT_MATRIX
from tests.tiny import pictures

NAME = "live test (ink)"
OTHER = "live test wash"
SETTINGS = {"content": "stripes", "style_weight": 1.5, "curve": "Fade out"}


def delete(webui: WebUI, name: str) -> int:
    request = Request(f"{webui.url}/instantstyle/styles/{quote(name, safe='')}", method="DELETE")
    try:
        with urlopen(request) as response:
            return response.status
    except HTTPError as error:
        return error.code


@pytest.fixture
def saved(webui: WebUI, style: dict[str, Any]) -> Iterator[dict[str, Any]]:
    body = {"name": NAME, "style": {"image": style["image"], **SETTINGS}, "replace": True}
    answer = webui.post("/instantstyle/styles", body)
    assert answer.status == 200, answer.body
    yield answer.body
    delete(webui, NAME)


def test_a_style_is_small_and_listed(webui: WebUI, saved: dict[str, Any]) -> None:
    assert saved["bytes"] < 16 * 1024
    assert saved["settings"] == SETTINGS
    assert saved in webui.get("/instantstyle/styles")


@pytest.mark.each_host
def test_a_style_needs_no_picture(webui: WebUI, style: dict[str, Any], saved: dict[str, Any]) -> None:
    direct = made(webui.txt2img(style | SETTINGS))
    answer = webui.txt2img({"enabled": True, "style": NAME})
    assert made(answer) == direct
    assert f'InstantStyle styles: "{NAME}: {saved["sha256"]}"' in answer.infotexts[0]
    assert made(webui.txt2img({"enabled": True, "style": NAME, "style_weight": 0.5})) != direct


@pytest.mark.each_host
def test_a_tag_in_the_prompt(webui: WebUI, saved: dict[str, Any], plain: list[bytes]) -> None:
    tagged = webui.txt2img(prompt=f"a house<instantstyle:{NAME}:1>")
    assert tagged.status == 200, tagged.body
    assert tagged.pictures == made(webui.txt2img({"enabled": True, "style": NAME}))
    assert f"<instantstyle:{NAME}:1>" in tagged.infotexts[0]
    assert f'InstantStyle styles: "{NAME}: {saved["sha256"]}"' in tagged.infotexts[0]
    assert webui.txt2img(prompt=f"a house<instantstyle:{NAME}:0>").pictures == plain
    assert webui.txt2img(prompt=f"a house<instantstyle:{NAME}:0.4>").pictures not in (plain, tagged.pictures)
    twice = webui.txt2img(prompt=f"a house<instantstyle:{NAME}:0.5><instantstyle:{NAME.upper()}:0.5>")
    assert twice.pictures == tagged.pictures


def test_each_prompt_of_a_matrix_names_its_own_styles(
    webui: WebUI, style: dict[str, Any], saved: dict[str, Any]
) -> None:
    """The script makes one job of several batches."""
    needs.script(webui, "prompt matrix", "txt2img")
    body = {"name": OTHER, "style": style, "replace": True}
    assert webui.post("/instantstyle/styles", body).status == 200
    try:
        prompt = f"a house|<instantstyle:{NAME}:1>|<instantstyle:{OTHER}:1>"
        answer = webui.txt2img(prompt=prompt, script_name="prompt matrix", script_args=PROMPT_MATRIX)
    finally:
        delete(webui, OTHER)
    assert answer.status == 200, answer.body
    own = [text.partition("InstantStyle styles: ")[2] for text in answer.infotexts[-4:]]  # after the grid's
    assert [f"{NAME}: {saved['sha256']}" in text for text in own] == [False, True, False, True]
    assert [f"{OTHER}: " in text for text in own] == [False, False, True, True]


def test_several_styles_at_once(webui: WebUI, style: dict[str, Any], saved: dict[str, Any]) -> None:
    alone = webui.txt2img(prompt=f"a house<instantstyle:{NAME}:1>").pictures
    second = f"{NAME} 2"
    body = {"name": second, "style": {"image": encoded(pictures.sunset())}, "replace": True}
    assert webui.post("/instantstyle/styles", body).status == 200
    both = webui.txt2img(prompt=f"a house<instantstyle:{NAME}:1><instantstyle:{second}:0.5>")
    with_accordion = webui.txt2img(style, prompt=f"a house<instantstyle:{NAME}:1>")
    assert len({alone[0], both.pictures[0], made(with_accordion)[0]}) == 3
    assert delete(webui, second) == 200
    assert saved["name"] == NAME


@pytest.mark.each_host
def test_a_tag_acts_in_both_passes(webui: WebUI, saved: dict[str, Any]) -> None:
    tag = f"a house<instantstyle:{saved['name']}:1>"
    both, hires_only = webui.txt2img(prompt=tag, **HIRES), webui.txt2img(hr_prompt=tag, **HIRES)
    first_only = webui.txt2img(prompt=tag, hr_prompt="a house", **HIRES)
    pictures = [answer.pictures[0] for answer in (both, hires_only, first_only, webui.txt2img(**HIRES))]
    assert len(set(pictures)) == 4


@pytest.mark.parametrize(
    ("tag", "message"),
    [("<instantstyle:nobody:1>", "no saved style 'nobody'"), ("<instantstyle:../x:1>", "cannot be the name"),
     ("<instantstyle:x:much>", "is not understood"), ("<instantstyle:x:9>", "between −3 and 3")],
)  # fmt: skip
def test_bad_tags_stop_the_job(webui: WebUI, tag: str, message: str) -> None:
    answer = webui.txt2img(prompt=f"a house{tag}")
    assert answer.status == 422
    assert message in answer.body["detail"]


def test_export_and_import(webui: WebUI, saved: dict[str, Any]) -> None:
    exported = webui.get(f"/instantstyle/styles/{quote(NAME)}")
    copy = f"{NAME} copy"
    answer = webui.post("/instantstyle/styles", {"name": copy, "file": exported["file"]})
    assert answer.body["sha256"] == saved["sha256"]
    tagged = [webui.txt2img(prompt=f"a house<instantstyle:{name}:1>").pictures for name in (NAME, copy)]
    assert tagged[0] == tagged[1]
    assert delete(webui, copy) == 200
    assert delete(webui, copy) == 404


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"name": "../evil", "style": {}}, "cannot be the name"),
        ({"name": "a/b", "file": ""}, "cannot be the name"),
        ({"name": "ok"}, "Send 'name'"),
        ({"name": "ok", "style": []}, "A dict"),
        ({"name": "ok", "style": {"frobnicate": 1}}, "Unknown InstantStyle key"),
        ({"name": "ok", "style": {}}, "No reference picture"),
        ({"name": "ok", "file": "%%%"}, "base64"),
        ({"name": "ok", "file": base64.b64encode(b"\xff" * 64).decode()}, "cannot be used"),
        ({"name": "ok", "file": "", "colour": 1}, "Unknown key 'colour'"),
    ],
)
def test_bad_saves_are_refused(webui: WebUI, body: dict[str, Any], message: str) -> None:
    answer = webui.post("/instantstyle/styles", body)
    assert answer.status == 422
    assert message in answer.body["detail"]
    assert "ok" not in [entry["name"] for entry in webui.get("/instantstyle/styles")]


def test_a_name_is_not_taken_twice(webui: WebUI, style: dict[str, Any], saved: dict[str, Any]) -> None:
    answer = webui.post("/instantstyle/styles", {"name": saved["name"].upper(), "style": {"image": style["image"]}})
    assert answer.status == 409
    assert "already" in answer.body["detail"]


@pytest.mark.parametrize("name", ["หมึกจีน", "स्याही", "Mac e\u0301"])
def test_a_name_in_any_script(webui: WebUI, style: dict[str, Any], name: str) -> None:
    body = {"name": name, "style": {"image": style["image"]}, "replace": True}
    assert webui.post("/instantstyle/styles", body).status == 200
    composed = unicodedata.normalize("NFC", name)
    try:
        assert composed in [entry["name"] for entry in webui.get("/instantstyle/styles")]
        for spelt in (composed, unicodedata.normalize("NFD", name)):
            assert composed in webui.txt2img(prompt=f"a house<instantstyle:{spelt}:1>").infotexts[0]
        card = f"page=instantstyle&tabname=txt2img&name={quote(composed)}"
        assert composed in webui.get(f"/sd_extra_networks/get-single-card?{card}")["html"]
    finally:
        assert delete(webui, name) == 200


def test_a_style_is_deleted_in_its_own_case_only(webui: WebUI, saved: dict[str, Any]) -> None:
    assert delete(webui, NAME.upper()) == 404
    assert saved in webui.get("/instantstyle/styles")


def test_embed_measures_without_a_picture_being_made(webui: WebUI, style: dict[str, Any]) -> None:
    answer = webui.post("/instantstyle/embed", {"image": style["image"], "content": "stripes, a flag:0.5"})
    assert [entry["content"] for entry in answer.body["contents"]] == ["stripes", "a flag"]
    assert len(answer.body["embeddings"][0]) == 1280
    assert all(-1 <= entry["after"] < entry["before"] <= 1 for entry in answer.body["contents"])


def test_the_cards_know_the_style(webui: WebUI, saved: dict[str, Any]) -> None:
    card = webui.get(f"/sd_extra_networks/get-single-card?page=instantstyle&tabname=txt2img&name={quote(NAME)}")
    assert "instantstyle:live test (ink)" in card["html"]
    covers = "/sd_extra_networks/cover-images"
    needs.need(covers in webui.get("/openapi.json")["paths"], "cards with the pictures of their files")
    assert "cover-images" in card["html"]
    with urlopen(f"{webui.url}{covers}?page=instantstyle&item={quote(saved['name'])}") as response:
        assert response.headers["Content-Type"] == "image/webp"


def test_a_plot_of_styles(webui: WebUI, style: dict[str, Any], saved: dict[str, Any]) -> None:
    """A cell takes the style as it was saved; the accordion's picture steps back."""
    answer = webui.plot(style, ("[InstantStyle] Saved style", [saved["name"]]))
    assert answer.pictures[-1] == made(webui.txt2img({"enabled": True, "style": saved["name"]}))[0]
