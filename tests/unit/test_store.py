import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch

from lib_instantstyle.models.embedding_cache import EmbeddingCache


def test_what_is_kept_is_found(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path / "new")
    assert cache.get("a", "b") is None
    cache.put(torch.arange(4.0), "a", "b")
    assert torch.equal(cache.get("a", "b"), torch.arange(4.0))
    assert cache.get("a", "c") is None


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
