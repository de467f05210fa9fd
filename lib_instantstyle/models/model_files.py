"""The models on disk: every file is opened once, and what it is is remembered until it changes."""

from __future__ import annotations

import contextlib
import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lib_instantstyle.errors import AdapterError, EncoderError
from lib_instantstyle.models.adapter import Adapter, Kind, adapter_in, looks_like_adapter, open_adapter
from lib_instantstyle.models.encoder_file import EncoderFile, encoder_in, open_encoder
from lib_instantstyle.models.found_models import FoundModels
from lib_instantstyle.models.search import FileSeen, Problem, Search
from lib_instantstyle.models.tensor_file import TensorFile, TensorFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lib_instantstyle.models.search import SearchFolders


class Recognised(NamedTuple):
    """What a file is; nothing of these for most."""

    adapter: Adapter | None = None
    encoder: EncoderFile | None = None
    problem: str = ""  # why it cannot be used, if it should be


class ModelFiles:
    """The models in the folders that ``folders`` returns, since settings may change at any time."""

    def __init__(self, folders: Callable[[], SearchFolders]) -> None:
        self._folders = folders
        self._known: dict[str, tuple[tuple[int, ...], Recognised]] = {}  # by path, with the state of the file
        self._looking = threading.Lock()  # two that look at once would open every file twice

    def look(self) -> FoundModels:
        """Search the folders and return what is there; whatever a folder or file is like, nothing is raised."""
        with self._looking:
            folders = self._folders()
            search = Search(folders)
            self._known = {file.path: (file.state, self._recognised(file)) for file in search.files}
            found = [(file.path, self._known[file.path][1]) for file in search.files]
        return FoundModels(
            folders,
            adapters=sorted(filter(None, (known.adapter for _, known in found)), key=_preference),
            encoders=_distinct(filter(None, (known.encoder for _, known in found))),
            files=[path for path, _ in found],
            unsearched=search.problems,
            refused=[Problem(path, known.problem) for path, known in found if known.problem],
        )

    def adapter_names(self) -> list[str]:
        """Look, and return the choices of the adapter control."""
        return self.look().adapter_names

    def _recognised(self, file: FileSeen) -> Recognised:
        state, answer = self._known.get(file.path, ((), Recognised()))
        return answer if state == file.state else _recognise(file)


def _recognise(file: FileSeen) -> Recognised:
    try:
        tensors = TensorFile(Path(file.path))
    except TensorFileError as error:
        return Recognised(problem=f"{error}.")
    adapter, encoder, problem = None, None, ""
    try:
        adapter = adapter_in(tensors)
    except AdapterError as error:
        problem = str(error) if looks_like_adapter(tensors) else ""
    with contextlib.suppress(EncoderError):
        encoder = encoder_in(tensors, Path(file.config) if file.config else None)
    return Recognised(adapter, encoder, problem or (encoder.problem if encoder else ""))


def _preference(a: Adapter) -> tuple[bool, bool, bool, str]:
    return not a.removes_content, a.kind is Kind.PLUS, a.path.suffix != ".safetensors", a.path.name.lower()


def _distinct(encoders: Iterable[EncoderFile]) -> list[EncoderFile]:
    """Return each folder once, whatever weights it holds twice; those that lack their configuration come last."""
    by_path: dict[Path, EncoderFile] = {}
    for encoder in encoders:
        by_path.setdefault(encoder.path, encoder)
    return sorted(by_path.values(), key=lambda encoder: bool(encoder.problem))


def check_file(path: Path, kind: str) -> None:
    """Check that a downloaded file is an ``"adapter"``, an ``"encoder"`` or the ``"config"`` of an encoder.

    Raises:
        InstantStyleError: If it is not.
    """
    checks = {"adapter": open_adapter, "encoder": open_encoder, "config": _check_config}
    checks[kind](path)


def _check_config(path: Path) -> None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EncoderError(f"it is no configuration of an image encoder ({error}).") from error
    if not isinstance(values, dict) or not isinstance(values.get("hidden_size"), int):
        raise EncoderError("it is no configuration of an image encoder (hidden_size is missing).")
