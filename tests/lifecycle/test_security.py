"""What requests may not do: reach other files, run code, fetch what the host forbids, take all memory, come in unnamed."""

from __future__ import annotations

import base64
import os
import pickle
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image

from lib_instantstyle.errors import UNPROCESSABLE
from lib_instantstyle.library import style_file, style_library
from lib_instantstyle.params.style_params import controls
from lib_instantstyle.pictures import decoding
from lib_instantstyle.webui.setup.folders import cache_folder
from tests.host.doors import Api
from tests.lifecycle.conftest import Studio
from tests.live.client import encoded
from tests.tiny import pictures

UNAUTHORISED, NOT_FOUND, CONFLICT = 401, 404, 409
STYLES = "/instantstyle/styles"
SINGLE = [name for name, control in controls().items() if control.pictures == 1]
SEVERAL = [name for name, control in controls().items() if control.pictures > 1]


@pytest.fixture
def api(studio: Studio) -> Api:
    return Api()


# ---- names ----

ESCAPES = ["../evil", "..", "../../InstantStyle/ip-adapter_sdxl", "/etc/passwd", "..\\evil", "C:\\evil", "a/b", "evil\0", "con",
           ".evil", "%2e%2e%2fevil", "~root"]  # fmt: skip


def files_outside(library: Path) -> dict[Path, int]:
    """The files of the models folder without the library, which other tests may write to at the same time."""
    files = [path for path in library.parents[1].rglob("*") if path.is_file() and library not in path.parents]
    return {path: path.stat().st_mtime_ns for path in files}


@pytest.mark.parametrize("name", ESCAPES, ids=ascii)
def test_no_name_leads_out_of_the_library(studio: Studio, api: Api, folder: Path, name: str) -> None:
    before = files_outside(folder)
    content = base64.b64encode(studio.style_file()).decode()
    answers = [
        api.request(method, f"{STYLES}/{quote(name, safe=safe)}") for method in ("GET", "DELETE") for safe in ("", "/.")
    ]
    answers += [api.request("POST", STYLES, {"name": name, "file": content, "replace": True})]
    answers += [api.request("POST", STYLES, {"name": name, "style": {"image": studio.reference}, "replace": True})]
    answers += [api.request("POST", "/instantstyle/embed", {"style": name})]
    answers += [api.txt2img(studio.request(image=None, style=name))]
    answers += [api.txt2img(studio.request(adapter=name))]
    answers += [api.txt2img({}, prompt=f"a house <instantstyle:{name.replace(':', '')}:1>")]
    assert {answer.status_code for answer in answers} <= {NOT_FOUND, 405, UNPROCESSABLE}
    assert files_outside(folder) == before
    assert not list(folder.glob("*evil*"))


def test_a_link_shows_nothing_that_lies_elsewhere(studio: Studio, api: Api, folder: Path, tmp_path: Path) -> None:
    content = studio.style_file()
    outside = tmp_path / "outside.safetensors"
    outside.write_bytes(content)
    (folder / "linked.safetensors").symlink_to(outside)
    assert "linked" not in [entry["name"] for entry in api.request("GET", STYLES).json()]
    for method in ("GET", "DELETE"):
        assert api.request(method, f"{STYLES}/linked").status_code == NOT_FOUND
    assert api.txt2img(studio.request(image=None, style="linked")).status_code == UNPROCESSABLE
    body = {"name": "linked", "file": base64.b64encode(content).decode()}
    assert api.request("POST", STYLES, body).status_code == 200
    assert not (folder / "linked.safetensors").is_symlink()
    assert api.request("DELETE", f"{STYLES}/linked").status_code == 200
    assert outside.read_bytes() == content


def test_what_is_written_lies_in_our_folders(
    studio: Studio, api: Api, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with _Writes() as writes:
        assert api.txt2img(studio.request(content="a cat")).status_code == 200
        assert api.request("POST", STYLES, {"name": "mine", "style": {"image": studio.reference}}).status_code == 200
        exported = api.request("GET", f"{STYLES}/mine").json()["file"]
        assert api.request("POST", STYLES, {"name": "copy", "file": exported}).status_code == 200
        assert api.txt2img({}, prompt="a house <instantstyle:copy:1>").status_code == 200
        assert [api.request("DELETE", f"{STYLES}/{name}").status_code for name in ("mine", "copy")] == [200, 200]
    ours = (folder, cache_folder(), tmp_path)
    hosts_own = Path(studio.host.shared.cmd_opts.data_dir)
    elsewhere = [path for path in writes.paths if not any(path.is_relative_to(own) for own in (*ours, hosts_own))]
    assert any(path.is_relative_to(folder) for path in writes.paths)
    assert not elsewhere


class _Writes:
    """Notes which files are written, renamed or removed while it is on. Python keeps such a hook for good."""

    def __init__(self) -> None:
        self.paths: set[Path] = set()
        self._on = False
        sys.addaudithook(self._note)

    def __enter__(self) -> _Writes:
        self._on = True
        return self

    def __exit__(self, *exception: object) -> None:
        self._on = False

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on:
            return
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if writes and isinstance(arguments[0], str):
            self.paths.add(Path(arguments[0]).absolute())
        elif event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "os.link"):
            paths = [Path(os.fsdecode(path)) for path in arguments[:2] if isinstance(path, (str, bytes))]
            self.paths |= {path for path in paths if path.is_absolute()}  # others lie in a folder that is open already


# ---- code ----


class _Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_no_request_is_unpickled(studio: Studio, api: Api, tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    evil = base64.b64encode(pickle.dumps(_Touch(proof))).decode()
    answers = [api.txt2img(studio.request(**{name: evil, "subject_weight": 0.2})) for name in SINGLE]
    answers += [api.txt2img(studio.request(**{name: [evil]})) for name in SEVERAL]
    answers += [api.request("POST", STYLES, {"name": "evil", "file": evil})]
    answers += [api.request("POST", "/instantstyle/embed", {"image": evil})]
    assert {answer.status_code for answer in answers} == {UNPROCESSABLE}
    assert not proof.exists()


# ---- addresses ----


def _asking_for(studio: Studio, api: Api, address: str) -> list[Any]:
    """Ask for a picture at ``address`` in every way."""
    answers = [api.txt2img(studio.request(**{name: address, "subject_weight": 0.2})) for name in SINGLE]
    answers += [api.txt2img(studio.request(**{name: [address]})) for name in SEVERAL]
    answers += [api.request("POST", STYLES, {"name": "fetched", "style": {"image": address}})]
    return [*answers, api.request("POST", "/instantstyle/embed", {"image": address})]


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were asked for; nothing leaves this machine."""
    import requests

    addresses: list[str] = []

    def get(address: str, **_options: Any) -> Any:
        addresses.append(address)
        raise requests.ConnectionError("no network here")

    monkeypatch.setattr(requests, "get", get)
    return addresses


LOCAL = ["http://127.0.0.1/x.png", "http://localhost:7860/x.png", "http://[::1]/x.png", "http://169.254.169.254/latest", " HTTP://10.0.0.1/x",
         "http://0.0.0.0/", "http://2130706433/"]  # fmt: skip


@pytest.mark.parametrize("address", [*LOCAL, "file:///etc/passwd", "ftp://example.org/x.png", "//example.org/x.png"])
def test_what_is_not_out_in_the_world_is_not_fetched(
    studio: Studio, api: Api, fetched: list[str], address: str
) -> None:
    answers = _asking_for(studio, api, address)
    assert {answer.status_code for answer in answers} == {UNPROCESSABLE}
    assert not fetched


def test_the_host_s_options_decide(studio: Studio, api: Api, fetched: list[str]) -> None:
    options = studio.host.shared.opts.data
    options["api_enable_requests"] = False
    answers = _asking_for(studio, api, "http://1.1.1.1/x.png")
    assert {answer.status_code for answer in answers} == {UNPROCESSABLE}
    assert "Requests not allowed" in answers[0].json()["detail"]
    assert not fetched
    options.update(api_enable_requests=True, api_forbid_local_requests=False)
    answers = _asking_for(studio, api, "http://127.0.0.1/x.png")
    assert {answer.status_code for answer in answers} == {UNPROCESSABLE}
    assert "cannot be fetched: no network here" in answers[0].json()["detail"]
    assert len(fetched) == len(answers)


# ---- sizes ----


def test_what_is_too_large_is_refused(studio: Studio, api: Api, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = base64.b64encode(studio.style_file()).decode()
    large, thin = encoded(Image.new("1", (12_000, 12_000))), encoded(Image.new("L", (3200, 16)))
    bodies: list[dict[str, Any]] = [
        {"image": large}, {"image": thin}, {"images": [studio.reference] * 9}, {"masks": [studio.reference] * 9},
        {"content": "a" * 8001}, {"content": ", ".join("abcdefghijklmnopqr")}, {"weights": "1" + ", 1" * 8},
    ]  # fmt: skip
    answers = [api.txt2img(studio.request(**body)) for body in bodies]
    monkeypatch.setattr(decoding, "MAX_BYTES", 100)
    answers += [api.txt2img(studio.request()), api.request("POST", "/instantstyle/embed", {"image": studio.reference})]
    monkeypatch.setattr(style_file, "MAX_BYTES", 100)
    answers += [api.request("POST", STYLES, {"name": "large", "file": content})]
    assert {answer.status_code for answer in answers} == {UNPROCESSABLE}
    monkeypatch.setattr(style_library, "MAX_BYTES", 100)
    (folder / "huge.safetensors").write_bytes(bytes(101))
    answer = api.request("GET", f"{STYLES}/huge")
    assert (answer.status_code, answer.json()["detail"][:28]) == (UNPROCESSABLE, "The style huge is too large:")


# ---- who asks ----


def test_every_route_of_ours_asks_for_the_account_that_the_host_s_ask_for(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studio.host.shared.cmd_opts, "api_auth", "me:secret,you:password")
    api = Api()
    routes = [("GET", "/sdapi/v1/samplers"), *api.routes("/instantstyle")]
    assert len(routes) == 13
    for method, path in routes:
        path = path.replace("{name}", "nobody")
        for account in (None, ("me", "wrong"), ("you", "secret"), ("", ""), ("me", ""), ("nobody", "")):
            assert api.request(method, path, auth=account).status_code == UNAUTHORISED, (path, account)
        for account in (("me", "secret"), ("you", "password")):
            assert api.request(method, path, auth=account).status_code in (200, NOT_FOUND, UNPROCESSABLE), path


def test_a_name_that_is_taken_is_replaced_only_on_request(studio: Studio, api: Api, folder: Path) -> None:
    body: dict[str, Any] = {"name": "taken", "style": {"image": studio.reference}}
    other = {**body, "style": {"image": encoded(pictures.dots())}}
    assert api.request("POST", STYLES, body).status_code == 200
    before = (folder / "taken.safetensors").read_bytes()
    assert api.request("POST", STYLES, other).status_code == CONFLICT
    assert (folder / "taken.safetensors").read_bytes() == before
    assert api.request("POST", STYLES, {**other, "replace": True}).status_code == 200
    assert (folder / "taken.safetensors").read_bytes() != before
