"""Sets of models are fetched in the background, into one folder, checked and resumable."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from lib_instantstyle.errors import DownloadError
from lib_instantstyle.fetch.catalogue import DATA, FileKind, RemoteFile, catalogue
from lib_instantstyle.fetch.download import Pace
from lib_instantstyle.fetch.fetcher import PARTS, Fetcher, Order, State
from lib_instantstyle.models.model_files import check_file
from tests.support import files
from tests.support.server import Mood, Shelf, serve

QUICK = Pace(timeout=2, pauses=(0.0, 0.0))
CONFIG = json.dumps({"hidden_size": 48}).encode()


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with serve() as shelf:
        adapter = files.save_safetensors(tmp_path / "a.safetensors", files.linear_adapter())
        shelf.files = {"/adapter": adapter.read_bytes(), "/config": CONFIG}
        yield shelf


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models" / "InstantStyle"


def order(shelf: Shelf, folder: Path, **changes: object) -> Order:
    content = shelf.files["/adapter"]
    known = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), **changes}
    adapter = RemoteFile("adapter", "mine.safetensors", FileKind.ADAPTER, known["bytes"], known["sha256"])
    config = RemoteFile("config", "tower/config.json", FileKind.CONFIG, None, None)
    return Order(folder, ((f"{shelf.url}/adapter", adapter), (f"{shelf.url}/config", config)), "test")


def run(wanted: Order) -> Fetcher:
    fetcher = Fetcher(check_file, QUICK)
    fetcher.start(wanted)
    fetcher.wait(20)
    return fetcher


def test_everything_arrives(shelf: Shelf, folder: Path) -> None:
    progress = run(order(shelf, folder)).progress
    assert progress.state is State.DONE
    assert progress.received == progress.total > 0
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*")) == [
        "mine.safetensors",
        "tower/config.json",
    ]


def test_a_second_time_fetches_nothing(shelf: Shelf, folder: Path) -> None:
    run(order(shelf, folder))
    shelf.requests.clear()
    assert run(order(shelf, folder)).progress.state is State.DONE
    assert shelf.requests == []


def test_a_damaged_file_is_replaced(shelf: Shelf, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "mine.safetensors").write_bytes(b"damaged")
    run(order(shelf, folder))
    assert (folder / "mine.safetensors").read_bytes() == shelf.files["/adapter"]


def test_without_a_hash_the_structure_is_checked(shelf: Shelf, folder: Path) -> None:
    shelf.files["/adapter"] = b"<html>Please log in</html>"
    progress = run(order(shelf, folder, sha256=None)).progress
    assert progress.state is State.FAILED
    assert "was thrown away" in progress.message
    assert not [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("config", [b"<html>", b"[]", b"{}"])
def test_a_configuration_is_one(shelf: Shelf, folder: Path, config: bytes) -> None:
    shelf.files["/config"] = config
    progress = run(order(shelf, folder)).progress
    assert "no configuration of an image encoder" in progress.message
    assert not (folder / "tower" / "config.json").exists()


def test_offline_says_which_file_goes_where(shelf: Shelf, folder: Path) -> None:
    wanted = order(Shelf("http://127.0.0.1:9", shelf.files), folder)
    progress = run(wanted).progress
    assert progress.state is State.FAILED
    assert "cannot be reached" in progress.message
    assert progress.by_hand == (
        f"http://127.0.0.1:9/adapter → {folder / 'mine.safetensors'}",
        f"http://127.0.0.1:9/config → {folder / 'tower' / 'config.json'}",
    )


def test_cancelling_and_going_on(shelf: Shelf, folder: Path) -> None:
    shelf.moods = [Mood(bytes=20_000, stall=1.0)]
    fetcher = Fetcher(check_file, QUICK)
    fetcher.start(order(shelf, folder))
    with pytest.raises(DownloadError, match="already") as busy:
        fetcher.start(order(shelf, folder))
    assert busy.value.status_code == 409
    while not fetcher.progress.received:
        pass
    fetcher.cancel()
    assert fetcher.wait(20).state is State.CANCELLED
    assert (folder / PARTS / "mine.safetensors").stat().st_size == 20_000
    assert run(order(shelf, folder)).progress.state is State.DONE
    assert shelf.requests[1] == ("/adapter", "bytes=20000-")
    assert not (folder / PARTS).exists()


def test_a_full_disk_is_told_before(shelf: Shelf, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")(0, 0, 1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)
    with pytest.raises(DownloadError, match=r"1 MB left, and .* are needed"):
        Fetcher(check_file, QUICK).start(order(shelf, folder))
    assert shelf.requests == []


@pytest.mark.parametrize("place", [".", "..", "tower", PARTS])
def test_a_file_in_the_place_of_a_folder_is_told_before(shelf: Shelf, folder: Path, place: str) -> None:
    path = folder if place == "." else folder.parent if place == ".." else folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("a file where a folder should be")
    with pytest.raises(DownloadError, match=rf"The folder {folder}.* cannot be written \(.*\)\. Make it writable"):
        Fetcher(check_file, QUICK).start(order(shelf, folder))
    assert shelf.requests == []
    assert [entry for entry in folder.rglob("*") if entry != path] == []  # nothing was left


@pytest.mark.parametrize("at", ["", "tower", PARTS])
@pytest.mark.parametrize("denied", ["making", "writing"])
def test_a_folder_that_may_not_be_written_is_told_before(
    shelf: Shelf, folder: Path, monkeypatch: pytest.MonkeyPatch, at: str, denied: str
) -> None:
    """Another account's, or on a disk that is read only: which root in a container would not notice."""

    def refuse(path: Path) -> None:
        if path.is_relative_to(folder / at):
            raise PermissionError(13, "Permission denied", str(path))

    make, write = Path.mkdir, tempfile.TemporaryFile
    if denied == "making":
        monkeypatch.setattr(Path, "mkdir", lambda self, *args, **kwargs: refuse(self) or make(self, *args, **kwargs))
    else:
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda dir: refuse(dir) or write(dir=dir))
    fetcher = Fetcher(check_file, QUICK)
    with pytest.raises(DownloadError, match=r"cannot be written \(Permission denied\)") as refused:
        fetcher.start(order(shelf, folder))
    assert (refused.value.status_code, fetcher.progress.state, shelf.requests) == (422, State.IDLE, [])
    monkeypatch.undo()
    assert run(order(shelf, folder)).progress.state is State.DONE


def test_a_disk_that_fails_later_is_told(shelf: Shelf, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    progress = run(order(shelf, folder)).progress
    assert progress.state is State.FAILED
    assert "No space left on device" in progress.message


@pytest.mark.parametrize("ends_at_once", [False, True])
def test_a_finished_set_leaves_the_parts_of_others(shelf: Shelf, folder: Path, ends_at_once: bool) -> None:
    """A is cancelled and B fetched: A goes on where it was, however B came to its end."""
    first = order(shelf, folder)
    other = RemoteFile("config", "other/config.json", FileKind.CONFIG, None, None)
    second = Order(folder, ((f"{shelf.url}/config", other),), "other")
    if ends_at_once:
        (folder / "other").mkdir(parents=True)
        (folder / "other" / "config.json").write_bytes(CONFIG)
    shelf.moods = [Mood(bytes=20_000, stall=1.0)]
    fetcher = Fetcher(check_file, QUICK)
    fetcher.start(first)
    while not fetcher.progress.received:
        pass
    fetcher.cancel()
    fetcher.wait(20)
    assert run(second).progress.state is State.DONE
    assert not list((folder / PARTS).rglob("other*"))
    shelf.requests.clear()
    assert run(first).progress.state is State.DONE
    assert shelf.requests[0] == ("/adapter", "bytes=20000-")
    assert not (folder / PARTS).exists()


def test_a_part_of_what_came_otherwise_goes_with_its_set(shelf: Shelf, folder: Path) -> None:
    """Cancelled, then fetched by hand: nothing of it stays behind."""
    wanted = order(shelf, folder)
    part = wanted.part(wanted.files[0][1])
    part.parent.mkdir(parents=True)
    part.write_bytes(b"some")
    (folder / "mine.safetensors").write_bytes(shelf.files["/adapter"])
    assert run(wanted).progress.state is State.DONE
    assert not (folder / PARTS).exists()


def test_an_empty_order_is_refused(folder: Path) -> None:
    with pytest.raises(DownloadError, match="Nothing is missing"):
        Fetcher(check_file, QUICK).start(Order(folder, ()))


# --- what the data file says


@pytest.mark.parametrize("file", {file for entry in catalogue().sets for file in entry.files})
def test_every_file_is_safe_to_fetch(file: RemoteFile) -> None:
    target = PurePosixPath(file.target)
    assert target.suffix in (".safetensors", ".json")  # never pickle
    assert not target.is_absolute()
    assert ".." not in target.parts
    assert file.kind is FileKind.CONFIG or (len(file.sha256) == 64 and file.bytes > 10**8)


def test_every_figure_names_its_source() -> None:
    data = json.loads(DATA.read_text(encoding="utf-8"))
    assert all(entry["sources"] for entry in data["files"])


@pytest.fixture(autouse=True)
def no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)


def test_hf_endpoint_is_honoured_unless_the_mirror_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    file = catalogue().find("recommended").adapter[0]
    path = f"h94/IP-Adapter/resolve/{catalogue().revision}/{file.path}"
    monkeypatch.setenv("HF_ENDPOINT", " https://hf-mirror.com/ ")
    assert catalogue().address(file) == f"https://hf-mirror.com/{path}"
    assert catalogue().address(file, "  ") == f"https://hf-mirror.com/{path}"
    assert catalogue().address(file, "http://nas:8000") == f"http://nas:8000/{path}"
    assert catalogue().address(file, "https://huggingface.co") == f"https://huggingface.co/{path}"
    for bad in ("hf-mirror.com", "ftp://x", "https://", "http://[::1", "http://nas:port"):
        monkeypatch.setenv("HF_ENDPOINT", bad)
        with pytest.raises(DownloadError, match=r"The environment variable HF_ENDPOINT is .*, which is no address"):
            catalogue().address(file)
        assert catalogue().address(file, "http://nas:8000").startswith("http://nas:8000/")
    monkeypatch.setenv("HF_ENDPOINT", "")
    assert catalogue().address(file) == f"https://huggingface.co/{path}"


def test_addresses() -> None:
    file = catalogue().find("recommended").adapter[0]
    path = "h94/IP-Adapter/resolve/018e402774aeeddd60609b4ecdb7e298259dc729/sdxl_models/ip-adapter_sdxl.safetensors"
    assert catalogue().address(file) == f"https://huggingface.co/{path}"
    assert catalogue().address(file, " http://nas:8000/hf/ ") == f"http://nas:8000/hf/{path}"
    for bad in ("nas", "file:///models", "ftp://x/y", "http://[::1", "http://nas:port"):
        with pytest.raises(DownloadError, match="no address"):
            catalogue().address(file, bad)
    with pytest.raises(DownloadError, match="recommended, small, plus"):
        catalogue().find("large")
