"""Our routes are there when the host's own API is, and ask for what that asks for; the page needs none of them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.host.inprocess import InProcess, in_process

ROOT = Path(__file__).parents[2]
OK, UNAUTHORISED, NOT_FOUND, NOT_ALLOWED, UNPROCESSABLE = 200, 401, 404, 405, 422
ACCOUNT, WRONG, PAGE_ACCOUNT = ("me", "secret"), ("me", "wrong"), ("guest", "pass")
OURS = [
    *(("GET", path) for path in ("version", "schema", "adapters", "styles", "styles/nobody", "preflight", "models/fetch")),
    *(("POST", path) for path in ("styles", "embed", "models/fetch")),
    *(("DELETE", path) for path in ("styles/nobody", "models/fetch")),
]  # fmt: skip
FLAGS = ("api", "api_auth", "gradio_auth")


@pytest.fixture
def host(models_dir: Path) -> Iterator[InProcess]:
    host = in_process(models_dir)
    yield host
    host.reload()  # the page of the other tests
    host.reset_options()


def served(host: InProcess, monkeypatch: pytest.MonkeyPatch, **flags: bool) -> TestClient:
    """The stand-in's server, as it is after a start with these flags."""
    import webui

    given = {"api_auth": ":".join(ACCOUNT), "gradio_auth": ":".join(PAGE_ACCOUNT)}
    for name, on in flags.items():
        monkeypatch.setattr(host.shared.cmd_opts, name, given.get(name, True) if on else given.get(name) and None)
    return TestClient(webui.build(), raise_server_exceptions=False)


def status(client: TestClient, route: tuple[str, str], account: tuple[str, str] | None = None) -> int:
    method, path = route
    body = {} if method == "POST" else None
    return client.request(method, path, json=body, auth=account).status_code


def statuses(client: TestClient, account: tuple[str, str] | None = None) -> set[int]:
    return {status(client, (method, f"/instantstyle/{path}"), account) for method, path in OURS}


def log_in(client: TestClient) -> None:
    username, password = PAGE_ACCOUNT
    assert client.post("/login", data={"username": username, "password": password}).status_code == OK


def press(client: TestClient, name: str) -> Any:
    """Press a button of ours as gradio's page does, and return the answer."""
    config = client.app.get_blocks().config
    ids = {entry["props"].get("elem_id"): entry["id"] for entry in config["components"]}
    button = ids[f"script_txt2img_instantstyle_{name}"]
    index = next(index for index, event in enumerate(config["dependencies"]) if button in event["targets"])
    labels = [entry["props"]["value"] for entry in config["components"] if entry["id"] in config["dependencies"][index]["inputs"]]  # fmt: skip
    return client.post("/run/predict", json={"fn_index": index, "data": labels, "session_hash": "here"})


@pytest.mark.parametrize(("api", "api_auth", "gradio_auth"), itertools.product((False, True), repeat=3))
def test_a_server_with_a_page(
    host: InProcess, monkeypatch: pytest.MonkeyPatch, api: bool, api_auth: bool, gradio_auth: bool
) -> None:
    """The host's API asks for its own account only: gradio's login neither guards nor opens it."""
    client = served(host, monkeypatch, api=api, api_auth=api_auth, gradio_auth=gradio_auth)
    assert status(client, ("GET", "/config")) == (UNAUTHORISED if gradio_auth else OK)
    for logged_in in (False, True) if gradio_auth else (False,):
        if logged_in:
            log_in(client)
        _agree(client, api=api, api_auth=api_auth)


@pytest.mark.parametrize("api", [False, True])
@pytest.mark.parametrize("api_auth", [False, True])
def test_a_server_without_a_page(host: InProcess, monkeypatch: pytest.MonkeyPatch, api: bool, api_auth: bool) -> None:
    """``--nowebui`` is an API by itself."""
    _agree(served(host, monkeypatch, nowebui=True, api=api, api_auth=api_auth), api=True, api_auth=api_auth)


def _agree(client: TestClient, *, api: bool, api_auth: bool) -> None:
    """The host's route and ours answer the same callers."""
    for account in (None, WRONG, PAGE_ACCOUNT, ACCOUNT):
        host_s, ours = status(client, ("GET", "/sdapi/v1/samplers"), account), statuses(client, account)
        if not api:
            assert host_s == NOT_FOUND
            assert ours <= {NOT_FOUND, NOT_ALLOWED}
        elif api_auth and account != ACCOUNT:
            assert host_s == UNAUTHORISED
            assert ours == {UNAUTHORISED}
        else:
            assert host_s == OK
            assert ours == {OK, NOT_FOUND, UNPROCESSABLE}  # of these only the style called nobody is not found


def test_the_routes_tried_are_all_there_are(host: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    client = served(host, monkeypatch, api=True)
    ours = [route for route in client.app.routes if route.path.startswith("/instantstyle")]
    found = {(method, route.path.replace("{name}", "nobody")) for route in ours for method in route.methods}
    assert found == {(method, f"/instantstyle/{path}") for method, path in OURS}


def test_the_page_goes_through_gradio_s_own_events(host: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking at the models needs no API, and no more than the login of the page."""
    client = served(host, monkeypatch, api=False, gradio_auth=True)
    assert press(client, "fetch_poll").status_code == UNAUTHORISED
    log_in(client)
    answer = press(client, "fetch_poll")
    assert answer.status_code == OK
    assert "ip-adapter_sdxl.safetensors" in answer.json()["data"][0]


def test_the_page_s_scripts_call_no_route_of_ours() -> None:
    """Nor does its HTML: whole paths stand nowhere, since the routes are made of prefix and name."""
    sources = [*(ROOT / "javascript").glob("*.js"), *(ROOT / "lib_instantstyle").rglob("*.py")]
    names = "|".join(sorted({path.split("/")[0] for _, path in OURS}))
    naming = [path for path in sources if re.search(rf"instantstyle/({names})", path.read_text(encoding="utf-8"))]
    assert len(sources) > 50
    assert naming == []
