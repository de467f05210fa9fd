"""Looking for models: what a folder or file is like costs its own line, and looking again costs next to nothing."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lib_instantstyle.errors import AdapterError
from lib_instantstyle.models import model_files, search
from lib_instantstyle.models.found_models import FoundModels
from lib_instantstyle.models.model_files import ModelFiles
from lib_instantstyle.models.search import SearchFolders
from lib_instantstyle.models.tensor_file import TensorFile
from tests.support import files


def models_in(*chosen: Path, usual: tuple[Path, ...] = (), hidden: tuple[Path, ...] = ()) -> ModelFiles:
    return ModelFiles(lambda: SearchFolders(chosen, usual, hidden, Path("own")))


def adapter(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return files.save_safetensors(path, files.linear_adapter())


def tower(path: Path, hidden: int = 1280, projection: int = 1024) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {
        "vision_model.embeddings.class_embedding": torch.zeros(hidden),
        "visual_projection.weight": torch.zeros(projection, hidden),
    }
    return files.save_safetensors(path, tensors)


def names(found: FoundModels) -> list[str]:
    return [entry.path.name for entry in found.adapters]


# ---- folders ----


def forbid(monkeypatch: pytest.MonkeyPatch, folder: Path, error: OSError) -> None:
    """Let the file system refuse to list ``folder``; root, who runs tests in containers, may enter any."""
    original = os.scandir

    def scandir(path: Any) -> Any:
        if str(path) == str(folder):
            raise error
        return original(path)

    monkeypatch.setattr(os, "scandir", scandir)


@pytest.mark.parametrize("place", [".", "within", "within/deeper"])
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(13, "Zugriff verweigert"), "it may not be read by this account"),
        (OSError(21, "The device is not ready"), "The device is not ready"),
        (OSError(5, "Input/output error"), "Input/output error"),
    ],
)
def test_a_folder_that_cannot_be_entered_costs_its_own_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, error: OSError, reason: str
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    (first / "within" / "deeper").mkdir(parents=True)
    adapter(second / "mine.safetensors")
    forbid(monkeypatch, first / place, error)
    found = models_in(first, second).look()
    assert names(found) == ["mine.safetensors"]
    assert found.unsearched == [(str(first / place), reason)]


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("absent", "it does not exist"),
        ("absent/deeper", "it does not exist"),
        ("file.txt", "it is no folder"),
        ("n\0ul", "null"),
        ("x" * 300, "too long"),
    ],
    ids=lambda value: ascii(value)[:12],
)
def test_a_folder_that_is_none_costs_its_own_line(tmp_path: Path, folder: str, reason: str) -> None:
    (tmp_path / "file.txt").write_text("no folder")
    adapter(tmp_path / "good" / "mine.safetensors")
    found = models_in(tmp_path / folder, tmp_path / "good").look()
    assert names(found) == ["mine.safetensors"]
    ((path, told),) = found.unsearched
    assert path == str(tmp_path / folder)
    assert reason in told


def test_the_usual_folders_may_be_absent(tmp_path: Path) -> None:
    found = models_in(usual=(tmp_path / "absent",)).look()
    assert not found.unsearched
    with pytest.raises(AdapterError, match=r"Searched: .*absent\."):
        found.find_adapter("Automatic")


def test_what_is_searched_in_vain_is_told_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match=r"Searched: .*absent \(it does not exist\)\."):
        models_in(tmp_path / "absent").look().find_adapter("Automatic")


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "models"
    adapter(elsewhere / "theirs" / "linked.safetensors")
    adapter(folder / "mine.safetensors")
    (folder / "more").symlink_to(elsewhere)
    (folder / "a.safetensors").symlink_to(elsewhere / "theirs" / "linked.safetensors")
    (elsewhere / "theirs" / "back").symlink_to(folder)
    (folder / "itself").symlink_to(folder)
    (elsewhere / "up").symlink_to(tmp_path)
    found = models_in(folder).look()
    assert names(found) == ["a.safetensors", "mine.safetensors"]  # each file once, however often it is linked
    assert not found.unsearched
    assert names(models_in(folder, elsewhere, tmp_path).look()) == names(found)


def test_links_to_nothing_and_to_themselves_hide_nothing(tmp_path: Path) -> None:
    adapter(tmp_path / "mine.safetensors")
    (tmp_path / "gone.safetensors").symlink_to(tmp_path / "nowhere")
    (tmp_path / "self.safetensors").symlink_to(tmp_path / "self.safetensors")
    found = models_in(tmp_path).look()
    assert names(found) == ["mine.safetensors"]
    assert {Path(problem.path).name for problem in found.unsearched} == {"gone.safetensors", "self.safetensors"}


def test_a_linked_way_into_a_hidden_folder_stays_hidden(tmp_path: Path) -> None:
    adapter(tmp_path / "hidden" / "style.safetensors")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "link").symlink_to(tmp_path / "hidden")
    assert names(models_in(tmp_path, hidden=(tmp_path / "hidden",)).look()) == []


def test_a_suffix_in_capitals_counts(tmp_path: Path) -> None:
    adapter(tmp_path / "mine.safetensors").rename(tmp_path / "MINE.SAFETENSORS")
    assert names(models_in(tmp_path).look()) == ["MINE.SAFETENSORS"]


def test_the_order_is_that_of_the_names(tmp_path: Path) -> None:
    for name in ("b/2.bin", "a.bin", "c.bin", "b/1.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = [file.path for file in search.Search(SearchFolders([tmp_path], [], [], tmp_path)).files]
    assert found == [str(tmp_path / name) for name in ("a.bin", "b/1.bin", "b/2.bin", "c.bin")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.safetensors")
    assert names(models_in(tmp_path).look()) == []


# ---- files ----


@pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
@pytest.mark.parametrize("content", [b"", b"text", b"\xff" * 64, b"[" * 100_000, b"PK\x03\x04"])
def test_an_unusable_file_costs_its_own_line(tmp_path: Path, suffix: str, content: bytes) -> None:
    (tmp_path / f"bad{suffix}").write_bytes(content)
    adapter(tmp_path / "mine.safetensors")
    found = models_in(tmp_path).look()
    assert names(found) == ["mine.safetensors"]
    ((path, reason),) = found.refused
    assert path.endswith(f"bad{suffix}")
    assert "cannot be read" in reason
    assert "weights_only" not in reason  # torch's advice to run what is in the file


def test_of_usable_files_only_what_should_be_an_adapter_is_told(tmp_path: Path) -> None:
    files.save_safetensors(tmp_path / "lora.safetensors", {"lora_unet.weight": torch.ones(2)})
    files.save_safetensors(tmp_path / "sd15.safetensors", files.linear_adapter(1024, context=768))
    found = models_in(tmp_path).look()
    assert [Path(problem.path).name for problem in found.refused] == ["sd15.safetensors"]
    assert "Stable Diffusion 1.5" in found.refused[0].reason
    with pytest.raises(AdapterError, match="not an IP-Adapter"):
        found.find_adapter("lora")


def header(**tensors: Any) -> bytes:
    text = json.dumps(tensors).encode()
    return len(text).to_bytes(8, "little") + text


GOOD = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    "content",
    [
        (2**63).to_bytes(8, "little") + b"{}",
        (0).to_bytes(8, "little"),
        header(a=GOOD),  # the tensor is missing
        header(a=GOOD) + bytes(9),
        header(a={**GOOD, "shape": [3]}) + bytes(8),
        header(a={**GOOD, "shape": [-2]}) + bytes(8),
        header(a={**GOOD, "shape": [True, 2]}) + bytes(8),
        header(a={**GOOD, "shape": "2"}) + bytes(8),
        header(a={**GOOD, "data_offsets": [8, 0]}) + bytes(8),
        header(a={**GOOD, "data_offsets": [0.0, 8]}) + bytes(8),
        header(a={**GOOD, "data_offsets": [0]}) + bytes(8),
        header(a={"shape": [2]}) + bytes(8),
        header(a=None) + bytes(8),
        (2).to_bytes(8, "little") + b"[]",
        (2).to_bytes(8, "little") + b"\xff\xfe",
    ],
)
def test_a_damaged_header_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.safetensors").write_bytes(content)
    assert "cannot be read" in models_in(tmp_path).look().refused[0].reason


def test_the_header_says_what_safetensors_says(tmp_path: Path) -> None:
    tensors = {f"{dtype}": torch.zeros(3, 2).to(dtype) for dtype in (torch.float16, torch.bfloat16, torch.bool, torch.int64)}  # fmt: skip
    tensors |= {"scalar": torch.tensor(1.0), "empty": torch.zeros(0, 4), "名": torch.zeros(1)}
    file = TensorFile(files.save_safetensors(tmp_path / "a.safetensors", tensors))
    assert file.shapes == {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    assert file.bytes == (tmp_path / "a.safetensors").stat().st_size


# ---- encoders ----

STRAY = ['{"sd_model_checkpoint": "x"}', "", "[1]", "null", '{"hidden_size": 5120}', '{"vision_config": 3}', "[" * 9999]


@pytest.mark.parametrize("name", ["clip_vision_h.safetensors", "model.safetensors"])
@pytest.mark.parametrize("config", STRAY, ids=lambda text: text[:20])
def test_a_stray_configuration_hides_no_single_file(tmp_path: Path, name: str, config: str) -> None:
    tower(tmp_path / name)
    (tmp_path / "config.json").write_text(config)
    (encoder,) = models_in(tmp_path).look().encoders
    assert (encoder.path.name, encoder.problem, encoder.config) == (name, "", None)


def test_the_folder_and_the_single_files_in_it_are_encoders(tmp_path: Path) -> None:
    files.vision_tower().save_pretrained(tmp_path / "tower", safe_serialization=True)
    torch.save(files.vision_tower().state_dict(), tmp_path / "tower" / "pytorch_model.bin")
    tower(tmp_path / "tower" / "another.safetensors")
    assert [entry.path.name for entry in models_in(tmp_path).look().encoders] == ["another.safetensors", "tower"]


def test_a_configuration_that_changes_is_noticed(tmp_path: Path) -> None:
    tower(tmp_path / "vit-l.safetensors", 1024, 768)
    models = models_in(tmp_path)
    (encoder,) = models.look().encoders
    assert "differ in their activation" in encoder.problem
    assert encoder.problem == models.look().refused[0].reason
    (tmp_path / "config.json").write_text('{"hidden_size": 1024}')
    (described,) = models.look().encoders
    assert described.problem == ""
    assert described.fingerprint != encoder.fingerprint


def test_an_encoder_that_lacks_its_configuration_comes_last(tmp_path: Path) -> None:
    tower(tmp_path / "a.safetensors", 1024, 768)
    tower(tmp_path / "z" / "model.safetensors", 1024, 768)
    (tmp_path / "z" / "config.json").write_text('{"hidden_size": 1024}')
    assert [entry.path.name for entry in models_in(tmp_path).look().encoders] == ["z", "a.safetensors"]


# ---- the cost ----


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file was opened as tensors."""
    counted: Counter[str] = Counter()

    class Counted(TensorFile):
        def __init__(self, path: Path) -> None:
            counted[path.name] += 1
            super().__init__(path)

    monkeypatch.setattr(model_files, "TensorFile", Counted)
    return counted


@pytest.mark.parametrize("count", [3, 600])  # more than any cache of a fixed size would keep
def test_a_file_is_opened_once_for_all_questions(tmp_path: Path, opened: Counter[str], count: int) -> None:
    for number in range(count):
        (tmp_path / f"{number}.safetensors").write_bytes(header(a=GOOD) + bytes(8))
    files.save_bin(tmp_path / "adapter.bin", files.linear_adapter())
    models = models_in(tmp_path)
    for _ in range(3):
        assert names(models.look()) == ["adapter.bin"]
    assert set(opened.values()) == {1}
    assert len(opened) == count + 1


def change(path: Path) -> None:
    files.save_safetensors(path, files.plus_adapter())


def touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize("act", [change, touch])
def test_only_a_changed_file_is_opened_again(tmp_path: Path, opened: Counter[str], act: Callable[[Path], None]) -> None:
    paths = [adapter(tmp_path / f"{name}.safetensors") for name in "ab"]
    models = models_in(tmp_path)
    models.look()
    act(paths[0])
    models.look()
    assert opened == {"a.safetensors": 2, "b.safetensors": 1}
    paths[0].unlink()
    assert names(models.look()) == ["b.safetensors"]


def test_two_looks_at_once_open_a_file_once(tmp_path: Path, opened: Counter[str]) -> None:
    adapter(tmp_path / "a.safetensors")
    models = models_in(tmp_path)
    threads = [threading.Thread(target=models.look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened == {"a.safetensors": 1}
