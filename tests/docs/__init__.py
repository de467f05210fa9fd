"""The documentation's generated tables, and tests of what it says. `python -m tests.docs` rewrites the tables."""

from __future__ import annotations

import ast
import re
from enum import Enum
from pathlib import Path

from lib_instantstyle.params.controls import Control
from lib_instantstyle.params.style_params import controls, default_of
from tests.unit.test_borders import ROOMS

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "lib_instantstyle"
README = ROOT / "README.md"
PARAMETERS = ROOT / "docs" / "parameters.md"
DEVELOPMENT = ROOT / "docs" / "development.md"
GENERATED = (README, PARAMETERS, DEVELOPMENT)
PAGES = (README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))
# What the README shows; the whole list is in docs/parameters.md.
MOST_USED = (
    "image",
    "preset",
    "style_weight",
    "layout_weight",
    "content",
    "content_strength",
    "images",
    "subject_weight",
    "anti_layout",
    "end",
)
_TABLE = re.compile(r"(<!-- controls: .*? -->\n).*?(<!-- end of controls -->)", re.DOTALL)
_MAP = re.compile(r"(<!-- map: .*? -->\n).*?(<!-- end of map -->)", re.DOTALL)
_HEAD = ["| key | control | default | range | what it does |", "|---|---|---|---|---|"]


def updated(page: Path) -> str:
    """Return the text of ``page`` with its tables made anew."""
    names = MOST_USED if page == README else tuple(controls())
    text = _TABLE.sub(lambda match: match[1] + _table(names) + match[2], page.read_text(encoding="utf-8"))
    return _MAP.sub(lambda match: match[1] + "".join(map(_modules, _rooms())) + match[2], text)


def _table(names: tuple[str, ...]) -> str:
    return "\n".join([*_HEAD, *(_row(name, controls()[name]) for name in names), ""])


def _row(name: str, control: Control) -> str:
    default = default_of(name)
    shown = default.value if isinstance(default, Enum) else default
    return f"| `{name}` | {control.label} | {_code(shown)} | {_range(control, default)} | {control.help} |"


def _rooms() -> list[Path]:
    """The folders of the library that hold modules, as its own borders order them."""
    return [LIBRARY, *(LIBRARY / name for name in ROOMS)]


def _modules(folder: Path) -> str:
    """A room: who lives there, and one row a module: its name, and what it says of itself first."""
    paths = [path for path in sorted(folder.glob("*.py")) if path.stem != "__init__"]
    name = folder.relative_to(ROOT).as_posix()
    rows = [f"| [{path.stem}](../{name}/{path.name}) | {_summary(path)} |" for path in paths]
    return "\n".join([f"| `{name}/` | {_summary(folder / '__init__.py')} |", "|---|---|", *rows, "", ""])


def _summary(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(text.partition("\n\n")[0].split()).replace("``", "`")


def _code(value: object) -> str:
    return f"`{value}`" if value not in ("", None) else ""


def _range(control: Control, default: object) -> str:
    if control.pictures:
        return f"up to {control.pictures} pictures" if control.pictures > 1 else "a picture"
    if control.suggestions:
        return ", ".join(control.suggestions)
    if control.choices:
        return ", ".join(str(member.value) for member in control.choices)
    if isinstance(default, float):
        return f"{control.minimum:g} to {control.maximum:g}"
    return ""
