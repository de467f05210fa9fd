"""The core runs without the host, and the host's packages are imported where they may be."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from lib_instantstyle.tensorfile import TensorFile
from tests.support import files

ROOT = Path(__file__).parents[2]
CORE = sorted(path.stem for path in (ROOT / "lib_instantstyle").glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("chunk", [CORE], ids=["core"])
def test_the_core_imports_with_neither_modules_nor_gradio(chunk: list[str]) -> None:
    code = "import sys; sys.modules['modules'] = sys.modules['gradio'] = None\n"
    code += "\n".join(f"import lib_instantstyle.{name}" for name in chunk)
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize("path", sorted((ROOT / "lib_instantstyle").rglob("*.py")), ids=lambda path: path.stem)
def test_nothing_happens_at_import(path: Path) -> None:
    """Top-level statements define names; none calls the host or does work."""
    allowed = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign, ast.If)
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        assert is_docstring or isinstance(node, allowed), f"{path.name}:{node.lineno}"
        if isinstance(node, ast.Import | ast.ImportFrom) and "webui" in path.parts and "page" not in path.parts:
            names = {node.module or ""} if isinstance(node, ast.ImportFrom) else {alias.name for alias in node.names}
            assert not any(name.split(".")[0] in ("modules", "gradio") for name in names), path.name


def test_only_one_script_file() -> None:
    assert [path.name for path in (ROOT / "scripts").glob("*.py")] == ["instantstyle.py"]


_FOREIGN = re.compile(r"requests|urllib\.(?!parse)|httpx|http\b|socket|subprocess|shutil|marshal|shelve|yaml")
_USED = {  # and by nobody else
    "download": {"http.client", "urllib.error", "urllib.request"},  # only when somebody asks for models
    "fetcher": {"shutil"},
    "fetch": {"shutil"},
}
_CALLS = (
    "eval",
    "exec",
    "compile",
    "os.system",
    "pickle.load",
    "pickle.loads",
    "pickle.Unpickler",
    "importlib.import_module",
)


@pytest.mark.parametrize("path", sorted((ROOT / "lib_instantstyle").rglob("*.py")), ids=lambda path: path.stem)
def test_nothing_runs_what_comes_in_or_goes_to_the_network(path: Path) -> None:
    """Pictures from addresses are fetched by the host, under its options; tensors are read as weights only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert {name for name in _imported(tree) if _FOREIGN.match(name)} == _USED.get(path.stem, set())
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in _CALLS
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "torch.load":
            assert path.stem == "tensorfile", "test_pickles_are_read_as_weights_only looks there alone"


@pytest.mark.parametrize("name", ["load", "load_origin"])
def test_pickles_are_read_as_weights_only(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every host: the Forge family wraps ``torch.load`` and keeps the original as ``torch.load_origin``."""
    file = files.save_bin(tmp_path / "adapter.bin", files.linear_adapter())
    asked = []

    def load(*args: Any, **kwargs: Any) -> Any:
        asked.append(kwargs["weights_only"])
        return original(*args, **kwargs)

    original = torch.load
    monkeypatch.setattr(torch, name, load, raising=False)
    TensorFile(file).read(["ip_adapter.1.to_k_ip.weight"])
    assert asked == [True, True]


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
