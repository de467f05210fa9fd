"""From a mirror into the models folder, and into use."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib_instantstyle.fetch.catalogue import Catalogue, catalogue
from lib_instantstyle.fetch.download import Pace
from lib_instantstyle.fetch.fetcher import Fetcher
from lib_instantstyle.models.model_files import check_file
from lib_instantstyle.webui.extension import extension
from tests.host.doors import Api
from tests.host.inprocess import InProcess, in_process
from tests.support import files
from tests.support.server import Shelf, serve


@pytest.fixture
def host(models_dir: Path, tmp_path: Path) -> Iterator[InProcess]:
    """The stand-in with a models folder of its own, empty."""
    host = in_process(models_dir)
    from modules import paths

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "models_path", str(tmp_path / "models"))
        yield host
    host.reset_options()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """A mirror with small models, and the catalogue with their figures."""
    from lib_instantstyle.webui.setup import fetching

    with serve() as shelf:
        monkeypatch.setattr(fetching, "catalogue", lambda: _catalogue_of(shelf))
        monkeypatch.setattr(extension().fetching, "fetcher", Fetcher(check_file, Pace(1.0, ())))
        yield shelf


def _catalogue_of(shelf: Shelf) -> Catalogue:
    full = catalogue()
    entry = full.find("recommended")
    changed = [_figures(shelf, full, part) for part in (entry.adapter, entry.encoder)]
    return dataclasses.replace(full, sets=(dataclasses.replace(entry, adapter=changed[0], encoder=changed[1]),))


def _figures(shelf: Shelf, full: Catalogue, part: tuple) -> tuple:
    contents = [shelf.files[full.address(file, shelf.url).removeprefix(shelf.url)] for file in part]
    return tuple(
        dataclasses.replace(file, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        for file, content in zip(part, contents, strict=True)
    )


def test_a_mirror_fills_an_empty_models_folder(host: InProcess, small: Shelf, tmp_path: Path) -> None:
    from lib_instantstyle.models.encoder_file import choose_encoder

    models, fetching = extension().models, extension().fetching
    entry = catalogue().find("recommended")
    tower = tmp_path / "tower"
    files.vision_tower().save_pretrained(tower, safe_serialization=True)
    adapter = files.save_safetensors(tmp_path / "adapter.safetensors", files.linear_adapter())
    contents = [adapter, tower / "config.json", tower / "model.safetensors"]
    for file, path in zip(entry.files, contents, strict=True):
        small.files[f"/h94/IP-Adapter/resolve/{catalogue().revision}/{file.path}"] = path.read_bytes()
    host.shared.opts.data["instantstyle_mirror"] = small.url
    found = models.look()
    assert found.adapters == found.encoders == []
    fetching.request({"set": "recommended"})
    assert fetching.fetcher.wait(30).state.value == "done"
    found = models.look()
    adapter = found.find_adapter("Automatic")
    assert adapter.path.name == "ip-adapter_sdxl.safetensors"
    assert choose_encoder(adapter, found.encoders).path.name == "image_encoder_ViT-bigG"
    assert fetching.report()["sets"][0]["bytes_to_fetch"] == 0


@pytest.mark.parametrize("named", [True, False])
def test_a_folder_that_cannot_be_written_is_told_at_once(
    host: InProcess, small: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    """The models folder's own, or the one that the command line names: a file where it should be."""
    blocked = tmp_path / ("named" if named else "models")
    blocked.write_text("no folder")
    monkeypatch.setattr(host.shared.cmd_opts, "instantstyle_models_dir", str(blocked) if named else "", raising=False)
    entry = catalogue().find("recommended")
    for file in entry.files:
        small.files[f"/h94/IP-Adapter/resolve/{catalogue().revision}/{file.path}"] = b"model"
    monkeypatch.setenv("HF_ENDPOINT", small.url)
    api = Api()
    answer = api.request("POST", "/instantstyle/models/fetch", {"set": "recommended"})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(f"The folder {blocked}")
    assert "cannot be written (" in answer.json()["detail"]
    assert api.request("GET", "/instantstyle/models/fetch").json()["state"] == "idle"
    assert small.requests == []
