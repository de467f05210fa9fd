"""Looking for models: once a request, never while the page is built, and whatever the folders are like."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lib_instantstyle.models.search import Search
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.webui.extension import extension
from lib_instantstyle.webui.setup.folders import own_folder, search_folders
from lib_instantstyle.webui.styles.saving import save_style
from tests.host.doors import Api
from tests.host.inprocess import InProcess
from tests.lifecycle.conftest import Studio
from tests.support import files
from tests.support.events import events_of

LABEL = "Style, layout and content removal (4.4 GB)"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows with every search through the folders."""
    counted: list[None] = []
    original = Search.__init__

    def searching(self: Search, *args: Any) -> None:
        counted.append(None)
        original(self, *args)

    monkeypatch.setattr(Search, "__init__", searching)
    return counted


@pytest.fixture
def saved(studio: Studio) -> Iterator[list[str]]:
    names = ["looking one", "looking two"]
    for name in names:
        save_style(name, StyleParams(enabled=True, image=studio.reference), extension().builder, replace=True)
    yield names
    for name in names:
        extension().library.delete(name)


def events(host: InProcess, name: str) -> list[Callable[..., Any]]:
    """The handlers on the page that are the method ``name``."""
    return [event.fn for event in events_of(host.shared.demo) if getattr(event.fn, "__qualname__", "") == name]


def choices_on_opening(host: InProcess, elem_id: str) -> list[list[str]]:
    """What the dropdown offers before a browser has opened the page, and after."""
    demo = host.shared.demo
    (component,) = (block for block in demo.blocks.values() if getattr(block, "elem_id", None) == elem_id)
    (look,) = (event.fn for event in events_of(demo) if "load" in event.triggers and event.outputs == [component._id])
    offered = [choice[-1] if isinstance(choice, tuple) else choice for choice in component.choices]
    return [offered, look()["choices"]]


# ---- how often ----


def test_the_page_is_built_without_a_look(studio: Studio, looks: list[None]) -> None:
    studio.host.reload()
    assert looks == []


@pytest.mark.parametrize("tab", ["txt2img", "img2img"])
def test_the_choices_come_when_the_page_is_opened(
    studio: Studio, saved: list[str], looks: list[None], tab: str
) -> None:
    studio.host.reload()
    before, after = choices_on_opening(studio.host, f"script_{tab}_instantstyle_adapter")
    assert before == ["Automatic"]
    assert "ip-adapter_sdxl.safetensors" in after
    assert len(looks) == 1
    before, after = choices_on_opening(studio.host, f"script_{tab}_instantstyle_style")
    assert before == [""]
    assert set(saved) <= set(after)


def test_a_job_looks_once(studio: Studio, saved: list[str], looks: list[None]) -> None:
    tags = "".join(f"<instantstyle:{name}:1>" for name in saved)
    studio.styled(prompt=f"a house {tags}", n_iter=2)
    assert len(looks) == 1


def test_a_plain_job_does_not_look(studio: Studio, looks: list[None]) -> None:
    studio.plain()
    assert looks == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "adapters", None),
        ("GET", "preflight", None),
        ("GET", "models/fetch", None),
        ("POST", "models/fetch", {"set": "recommended"}),  # nothing is missing
        ("POST", "embed", {}),
    ],
)
def test_a_route_looks_once(studio: Studio, looks: list[None], method: str, path: str, body: Any) -> None:
    Api().request(method, f"/instantstyle/{path}", {"image": studio.reference} if path == "embed" else body)
    assert len(looks) == 1


@pytest.mark.parametrize("name", ["_current", "_chosen", "_cancelled"])
def test_an_event_of_the_tab_models_looks_once(studio: Studio, looks: list[None], name: str) -> None:
    table, _ = events(studio.host, f"FetchPanel.{name}")[0](LABEL)
    assert "ip-adapter_sdxl.safetensors" in table
    assert len(looks) == 1


# ---- what the folders are like ----


@pytest.fixture
def closed(studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that may not be entered, below one that the settings name beside two that are not there."""
    closed = tmp_path / "mine" / "closed"
    closed.mkdir(parents=True)
    original = os.scandir

    def scandir(path: Any) -> Any:
        if str(path) == str(closed):
            raise PermissionError(13, "Permission denied")
        return original(path)

    monkeypatch.setattr(os, "scandir", scandir)
    lines = [tmp_path / "mine", tmp_path / "absent", "Q:\\ComfyUI\\models", "~nobody-of-this-name/models", "\0"]
    studio.host.shared.opts.data["instantstyle_model_folders"] = "\n".join(map(str, lines))
    return closed


def test_a_closed_folder_costs_its_own_line(studio: Studio, closed: Path) -> None:
    studio.host.reload()
    api = Api()
    assert api.request("GET", "/instantstyle/adapters").json()
    assert api.request("GET", "/instantstyle/preflight").json()["ready"]
    assert api.txt2img(studio.request()).status_code == 200
    table, _ = events(studio.host, "FetchPanel._current")[0](LABEL)
    assert f"<li>{closed}: it may not be read by this account</li>" in table
    for absent in ("absent", "Q:\\ComfyUI\\models", "models"):
        assert f"{absent}: it does not exist</li>" in table
    assert "ip-adapter_sdxl.safetensors" in table


def test_an_unusable_file_costs_its_own_line(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "<b>bad.safetensors").write_bytes(b"<html>")
    studio.host.shared.opts.data["instantstyle_model_folders"] = str(tmp_path)
    table, _ = events(studio.host, "FetchPanel._current")[0](LABEL)
    assert "&lt;b&gt;bad.safetensors cannot be read: it is cut off, or no .safetensors file.</li>" in table
    assert "<b>" not in table


@pytest.mark.parametrize("where", ["absent", "file.txt/deeper"])
def test_the_tab_models_opens_though_the_download_folder_is_nowhere(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """A folder on a drive that is gone has no parent that exists."""
    (tmp_path / "file.txt").write_text("")
    monkeypatch.setattr(studio.host.shared.cmd_opts, "instantstyle_models_dir", str(tmp_path / where), raising=False)
    monkeypatch.setattr(extension().models, "_folders", lambda: search_folders()._replace(usual=[]))
    _, status = events(studio.host, "FetchPanel._current")[0](LABEL)
    assert "are free" in status
    monkeypatch.setattr(os.path, "isdir", lambda path: False)
    _, status = events(studio.host, "FetchPanel._current")[0](LABEL)
    assert f"Goes into <span>{tmp_path / where}</span>.</p>" in status


QUOTED = ['"{}"', "'{}'", "“{}”", '  "{}"  ', "\"'{}'\"", '" {} "']


@pytest.mark.parametrize("quotes", QUOTED)
def test_paths_that_are_pasted_in_quotes_work(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quotes: str
) -> None:
    folder = tmp_path / "it's my folder"
    folder.mkdir()
    studio.host.shared.opts.data["instantstyle_model_folders"] = quotes.format(folder)
    assert search_folders().chosen == [folder]
    studio.host.reset_options()
    monkeypatch.setattr(studio.host.shared.cmd_opts, "instantstyle_models_dir", quotes.format(folder), raising=False)
    assert search_folders().chosen == [folder]


# ---- hashes ----


def test_equal_names_in_two_folders_do_not_share_a_hash(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host keeps hashes by title, and takes an older file for the one that it knows."""
    monkeypatch.setattr(studio.host.shared.cmd_opts, "no_hashing", False)
    found = set()
    for name in ("newer", "older"):
        (tmp_path / name).mkdir()
        path = tmp_path / name / "same.safetensors"
        files.save_safetensors(path, files.linear_adapter(1280, context=2048))
        shutil.copy(own_folder() / "ip-adapter_sdxl.safetensors", path)
        with path.open("r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(name[:1].encode())
        os.utime(path, ns=(10**9, 2 * 10**18 if name == "newer" else 10**18))
        studio.host.shared.opts.data["instantstyle_model_folders"] = str(tmp_path / name)
        processed = studio.host.txt2img(studio.request(adapter="same.safetensors"))
        found.add(processed.infotexts[0].partition("adapter SHA-256: ")[2].partition(",")[0])
    assert len(found) == 2
    assert "" not in found
