"""Who may import whom: the rooms of the library, the host's packages, the network; and that importing does nothing."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from lib_instantstyle.models.tensor_file import TensorFile
from tests.support import files

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "lib_instantstyle"
MODULES = sorted(LIBRARY.rglob("*.py"))
NAMES = {path: path.relative_to(LIBRARY).with_suffix("").as_posix() for path in MODULES}
MOST_FILES = 14  # in a room, its __init__ included
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 220, 40


class Room(NamedTuple):
    """What the modules of a room may import: other rooms, and packages beyond the standard library."""

    rooms: str = ""
    packages: str = ""


# In the order of the house: a room may import only rooms that stand above it here, which leaves no circle.
ROOMS = {
    "params": Room(),
    "pictures": Room("params", "PIL numpy torch pillow_avif pillow_heif"),
    "method": Room("params", "torch"),
    "models": Room("params pictures", "torch transformers safetensors PIL"),
    "unet": Room("params pictures method models", "torch"),
    "self_attention": Room("params pictures method unet", "torch"),
    "fetch": Room("params", "requests urllib3"),
    "library": Room("params pictures method models", "torch safetensors"),
    "webui/hosts": Room("pictures method unet self_attention", "torch fastapi PIL modules backend ldm_patched"),
    "webui/setup": Room("params models fetch", "gradio modules"),
    "webui/encoding": Room("params pictures method models webui/hosts webui/setup", "torch PIL modules"),
    "webui/styles": Room(
        "params pictures method models unet self_attention library webui/hosts webui/encoding", "torch"
    ),
    "webui/jobs": Room(
        "params pictures method models unet self_attention library webui/hosts webui/setup webui/styles", "torch"
    ),
    "webui": Room("models library webui/hosts webui/setup webui/encoding webui/styles webui/jobs"),
    "webui/forms": Room("params library webui/jobs", "modules"),
    "webui/routes": Room(
        "params models library fetch webui/hosts webui/setup webui/encoding webui/styles webui/jobs webui",
        "fastapi modules",
    ),
    "webui/page/svg": Room("params"),
    "webui/page": Room(
        "params pictures models webui/hosts webui/setup webui/styles webui/jobs webui webui/page/tabs",
        "gradio PIL modules",
    ),
    "webui/page/tabs": Room(
        "params pictures method models unet fetch library webui/hosts webui/setup webui/encoding webui/styles webui/jobs "
        "webui/page webui/page/svg",
        "gradio PIL modules",
    ),
}
ENTRANCE = {"webui/page/accordion"}  # puts the tabs together: alone in its room in knowing them
ANYWHERE = {"", "errors"}  # the package itself and its one family of errors

KNOW_THE_HOST = {  # the files that import `modules`, and what for
    "webui/hosts/webui_host": "the model side, as far as it is the same everywhere",
    "webui/hosts/a1111": "the model side",
    "webui/hosts/forge": "the model side",
    "webui/hosts/a1111_pass": "the options that decide how a denoising step is split",
    "webui/setup/settings": "adds and reads options",
    "webui/setup/folders": "paths, and the command line",
    "webui/encoding/captions": "the infotext in a picture, and the interrogator",
    "webui/forms/xyz": "adds axes",
    "webui/forms/last_parameters": "the file that the arrow reads",
    "webui/forms/extra_networks": "adds cards and a tag",
    "webui/routes/access": "the queue's lock",
    "webui/page/accordion": "the accordion with a box to tick",
    "webui/page/fields": "the queue's lock, and the button that looks again",
    "webui/page/send_buttons": "a small button",
    "webui/page/compat": "opens what the page names as files",
}


def room_of(name: str) -> str:
    return name.rpartition("/")[0]


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module.startswith("lib_"))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def rooms_imported(path: Path) -> set[str]:
    """Other rooms, and modules that lie loose in the library, that ``path`` imports, for type checking too."""
    own = {name.removeprefix("lib_instantstyle").lstrip(".").replace(".", "/") for name in imported(tree_of(path)) if name.startswith("lib_")}  # fmt: skip
    known = {name for name in own if (LIBRARY / f"{name}.py").is_file()}
    return {room_of(name) or name for name in known} - {room_of(NAMES[path])} - ANYWHERE


def test_every_module_lies_in_a_room() -> None:
    assert {room_of(name) for name in NAMES.values()} - {""} == set(ROOMS)
    assert {name for name in NAMES.values() if "/" not in name} == {"__init__", "errors"}


@pytest.mark.parametrize("path", MODULES, ids=NAMES.values())
def test_a_room_imports_only_what_it_may(path: Path) -> None:
    room = ROOMS.get(room_of(NAMES[path]), Room())
    assert rooms_imported(path) <= set(room.rooms.split())
    packages = {name.split(".")[0] for name in imported(tree_of(path))} - {"lib_instantstyle", "__future__"}
    assert packages - set(sys.stdlib_module_names) <= set(room.packages.split())


def test_no_arrow_leads_up() -> None:
    """The table itself is in order, but for the page, whose entrance alone knows its tabs."""
    order = list(ROOMS)
    for name, room in ROOMS.items():
        up = {other for other in room.rooms.split() if order.index(other) > order.index(name)}
        assert up == ({"webui/page/tabs"} if name == "webui/page" else set())
    assert {NAMES[path] for path in MODULES if "webui/page/tabs" in rooms_imported(path)} == ENTRANCE


def test_modules_import_each_other_in_no_circle() -> None:
    arrows = {}
    for path in MODULES:
        names = {name.removeprefix("lib_instantstyle.").replace(".", "/") for name in imported(tree_of(path))}
        arrows[NAMES[path]] = {name for name in names if name in NAMES.values()}
    done: list[str] = []
    while free := [name for name, others in arrows.items() if name not in done and others <= set(done)]:
        done += free
    assert set(arrows) == set(done)


@pytest.mark.parametrize("room", [name for name in ROOMS if "/" not in name and name != "webui"])
def test_a_room_of_the_core_loads_nothing_that_it_may_not(room: str) -> None:
    """Neither by itself nor through another: parameters and downloads come without torch."""
    forbidden = {"modules", "gradio", "fastapi"}
    if room in ("params", "fetch"):
        forbidden |= {"torch", "transformers", "safetensors", "numpy", "PIL"}
    names = [path.stem for path in (LIBRARY / room).glob("*.py") if path.stem != "__init__"]
    code = "\n".join([*(f"import lib_instantstyle.{room}.{name}" for name in names), "import sys"])
    code += f"\nfound = {forbidden!r} & set(sys.modules)\nassert not found, found"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_the_files_that_know_the_host_are_these() -> None:
    knowing = {NAMES[path] for path in MODULES if any(name.split(".")[0] == "modules" for name in imported(tree_of(path)))}  # fmt: skip
    assert knowing == set(KNOW_THE_HOST)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_not_too_full(room: str) -> None:
    assert len([path for path in (LIBRARY / room).iterdir() if path.suffix == ".py"]) <= MOST_FILES


@pytest.mark.parametrize("path", MODULES, ids=NAMES.values())
def test_files_and_functions_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    functions = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert all(node.end_lineno - node.lineno < MOST_LINES_OF_A_FUNCTION for node in functions)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_who_lives_there(room: str) -> None:
    assert len((ast.get_docstring(tree_of(LIBRARY / room / "__init__.py")) or "").split()) > 10


# ---- importing does nothing ----

_STATEMENTS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
_PURE = {  # what makes a value of constants, and no more
    *("len", "tuple", "frozenset", "sorted", "next", "dict.fromkeys", "re.compile", "logging.getLogger", "TypeVar"),
    *("field", "control", "pictures", "Path", "Path(__file__).with_name", "_ADAPTER_STAGES.index", "property"),
    *("block.name.split", "controls", "controls().items", "torch.no_grad"),
}


def at_import(nodes: list[ast.stmt]) -> Iterator[ast.AST]:
    """Everything that runs while a module is imported: not what is inside functions."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            for part in (*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)):
                yield from ast.walk(part)
        elif isinstance(node, ast.ClassDef):
            for part in (*node.decorator_list, *node.bases):
                yield from ast.walk(part)
            yield from at_import(node.body)
        else:
            yield node
            yield from ast.walk(node)


def impure(source: str) -> list[str]:
    """What a module does beyond defining names when it is imported."""
    tree = ast.parse(source)
    odd = [ast.unparse(node) for node in tree.body if not (isinstance(node, _STATEMENTS) or _is_for_types(node) or _is_text(node))]  # fmt: skip
    inner = [statement for statement in tree.body if not _is_for_types(statement)]
    calls = [node for node in at_import(inner) if isinstance(node, ast.Call)]
    return odd + [ast.unparse(node) for node in calls if not _makes_a_value(node)]


def _makes_a_value(node: ast.Call) -> bool:
    called = ast.unparse(node.func)
    return called in _PURE or bool(re.fullmatch(r"_?[A-Z]\w+|dataclass(es\.dataclass)?|functools\.\w+", called))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


@pytest.mark.parametrize("path", MODULES, ids=NAMES.values())
def test_nothing_happens_at_import(path: Path) -> None:
    assert impure(path.read_text(encoding="utf-8")) == []
    if not NAMES[path].startswith("webui/page/"):
        top = [node for node in tree_of(path).body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {name.split(".")[0] for node in top for name in imported(node)}
        assert not names & {"modules", "gradio", "fastapi"}


@pytest.mark.parametrize(
    "source",
    [
        "PAGE = urlopen('https://example.org')",
        "PAGE: str = urlopen('https://example.org').read()",
        "register()",
        "for name in NAMES: register(name)",
        "class Page:\n    text = open('page').read()",
        "def page(text=open('page').read()): ...",
        "@registered('page')\ndef page(): ...",
        "if DEBUG:\n    NAMES = ()",
        "NAMES = [load(name) for name in ('a', 'b')]",
        "NAMES += load()",
    ],
)
def test_what_happens_at_import_is_found(source: str) -> None:
    assert impure(source)


def test_only_one_script_file() -> None:
    assert [path.name for path in (ROOT / "scripts").glob("*.py")] == ["instantstyle.py"]


# ---- what comes in ----

_FOREIGN = re.compile(r"requests|urllib3|urllib\.(?!parse)|httpx|http\b|socket|subprocess|shutil|marshal|shelve|yaml")
_USED = {  # and by nobody else
    "fetch/download": {"requests", "urllib3"},  # only when somebody asks for models
    "fetch/session": {"requests"},
    "fetch/fetcher": {"shutil"},
    "webui/page/tabs/fetch_panel": {"shutil"},
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


@pytest.mark.parametrize("path", MODULES, ids=NAMES.values())
def test_nothing_runs_what_comes_in_or_goes_to_the_network(path: Path) -> None:
    """Pictures from addresses are fetched by the host, under its options; tensors are read as weights only."""
    tree = tree_of(path)
    assert {name for name in imported(tree) if _FOREIGN.match(name)} == _USED.get(NAMES[path], set())
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in _CALLS
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "torch.load":
            assert NAMES[path] == "models/tensor_file", "test_pickles_are_read_as_weights_only looks there alone"


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
