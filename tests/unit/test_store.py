import errno
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
import torch

from lib_instantstyle.models.embedding_cache import EmbeddingCache


def test_what_is_kept_is_found(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path / "new")
    assert cache.get("a", "b") is None
    cache.put(torch.arange(4.0), "a", "b")
    assert torch.equal(cache.get("a", "b"), torch.arange(4.0))
    assert cache.get("a", "c") is None
    assert cache.get("b", "b") is None


def test_names_are_found_by_their_beginnings(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    assert cache.find("ab") == []
    for name in ("abcd", "abce", "ab"):
        cache.put(torch.zeros(1), name, "crop")
    cache.put(torch.zeros(1), "abcf", "another crop")
    assert cache.find("abc", "crop") == ["abcd", "abce"]
    assert cache.find("abcf", "crop") == []
    assert cache.find("ab", "crop") == ["ab"], "a whole name is never ambiguous"


def test_a_thumbnail_is_made_once_and_found_by_a_beginning(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    assert cache.thumbnail("ab") is None
    cache.put_thumbnail(lambda: b"small", "abcd")
    cache.put_thumbnail(pytest.fail, "abcd")
    assert cache.thumbnail("abc") == b"small"
    cache.put_thumbnail(lambda: b"another", "abce")
    assert cache.thumbnail("abc") is None
    assert cache.find("abcd") == [], "a thumbnail is no embedding"


def test_thumbnails_count_too(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path, limit=300)
    for number in range(9):
        cache.put_thumbnail(lambda: bytes(100), f"a{number}")
        _age(tmp_path, 10)
    assert len(list(tmp_path.iterdir())) == 3
    assert cache.thumbnail("a8")
    EmbeddingCache(tmp_path / "off", limit=0).put_thumbnail(pytest.fail, "a")


def test_the_least_recently_used_goes_first(tmp_path: Path) -> None:
    one = torch.zeros(200)
    cache = EmbeddingCache(tmp_path, limit=2 * one.nbytes + 500)
    cache.put(one, "older but used")
    _age(tmp_path, 100)
    cache.put(one, "old")
    _age(tmp_path, 100)
    assert cache.get("older but used") is not None
    cache.put(one, "new")
    assert [cache.get(name) is not None for name in ("older but used", "old", "new")] == [True, False, True]


def _age(folder: Path, seconds: float) -> None:
    for path in folder.iterdir():
        status = path.stat()
        os.utime(path, (status.st_mtime - seconds, status.st_mtime - seconds))


def test_limit_zero_keeps_nothing(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path, limit=0)
    cache.put(torch.zeros(4), "a")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_counts_as_absent(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    cache.put(torch.zeros(4), "a")
    path = next(tmp_path.iterdir())
    path.write_bytes(b"damaged")
    assert cache.get("a") is None
    assert not path.exists()


def test_numbers_that_are_none_count_as_absent(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    cache.put(torch.tensor([0.0, torch.nan]), "a")
    assert cache.get("a") is None
    assert not list(tmp_path.iterdir())


def test_an_unwritable_folder_is_no_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    EmbeddingCache(blocked / "cache").put(torch.zeros(4), "a")


_WRITES = {"utime": os, "unlink": Path, "replace": Path, "mkdir": Path, "write_bytes": Path}


def _refuse(monkeypatch: pytest.MonkeyPatch, number: int, *names: str) -> None:
    """Let these calls fail as the system does: tests may run as root, whom no permission stops."""

    def refused(path: Path, *_args: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    for name in names:
        monkeypatch.setattr(_WRITES[name], name, refused)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM], ids=["read-only", "another's", "sticky"])
def test_a_folder_that_may_only_be_read_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    cache = EmbeddingCache(tmp_path)
    cache.put(torch.arange(4.0), "a")
    cache.put(torch.tensor([torch.nan]), "damaged")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    _refuse(monkeypatch, number, *_WRITES)
    for _ in range(2):
        assert torch.equal(cache.get("a"), torch.arange(4.0))
        assert cache.get("damaged") is None
        cache.put(torch.zeros(4), "b")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("names", [("utime",), ("utime", "mkdir", "write_bytes")], ids=["times", "times and files"])
def test_what_can_be_read_is_never_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    """The folder may be changed, but the file is another account's: nobody else may set its time."""
    cache = EmbeddingCache(tmp_path)
    cache.put(torch.arange(4.0), "a")
    _refuse(monkeypatch, errno.EPERM, *names)
    assert cache.get("a") is not None
    assert cache.get("a") is not None
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE, errno.EMFILE], ids=os.strerror)
def test_what_cannot_be_read_now_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    cache = EmbeddingCache(tmp_path)
    cache.put(torch.arange(4.0), "a")

    def refused(path: Path) -> bytes:
        raise OSError(number, os.strerror(number), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refused)
        assert cache.get("a") is None
    assert torch.equal(cache.get("a"), torch.arange(4.0))


@pytest.mark.parametrize("obstacle", ["another's", "gone", "a folder"])
def test_room_is_made_past_what_cannot_be_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, obstacle: str
) -> None:
    one = torch.zeros(200)
    cache = EmbeddingCache(tmp_path, limit=2 * one.nbytes + 500)
    cache.put(one, "first")
    (first,) = tmp_path.iterdir()
    _age(tmp_path, 100)
    if obstacle != "another's":
        first.unlink()
        first.mkdir() if obstacle == "a folder" else first.symlink_to("nowhere")
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path == first:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(path))
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    for name in ("second", "third", "fourth"):
        for path in set(tmp_path.iterdir()) - {first}:
            os.utime(path, (path.stat().st_mtime - 10, path.stat().st_mtime - 10))
        cache.put(one, name)
    assert os.path.lexists(first)
    assert cache.get("second") is None
    assert cache.get("fourth") is not None
    assert len(list(tmp_path.iterdir())) <= 3


def _write(folder: Path, value: float) -> None:
    for _ in range(50):
        EmbeddingCache(folder).put(torch.full((256,), value), "same")


def test_two_processes_may_write_at_once(tmp_path: Path) -> None:
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_write, [tmp_path, tmp_path], [1.0, 2.0]))
    kept = EmbeddingCache(tmp_path).get("same")
    assert kept is not None
    assert kept.unique().numel() == 1
    assert [path.suffix for path in tmp_path.iterdir()] == [".safetensors"]
