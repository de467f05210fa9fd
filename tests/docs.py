"""The README's table of controls, generated from `StyleParams`: `python -m tests.docs` rewrites it."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path

from lib_instantstyle.controls import Control
from lib_instantstyle.params import controls, default_of

README = Path(__file__).parents[1] / "README.md"
_TABLE = re.compile(r"(<!-- controls: .*? -->\n).*?(<!-- end of controls -->)", re.DOTALL)


def controls_table() -> str:
    """One Markdown row a control."""
    rows = [_row(name, control) for name, control in controls().items()]
    return "\n".join(["| key | control | default | range | what it does |", "|---|---|---|---|---|", *rows, ""])


def updated(text: str) -> str:
    """Return the README ``text`` with its table replaced."""
    return _TABLE.sub(lambda match: match[1] + controls_table() + match[2], text)


def _row(name: str, control: Control) -> str:
    default = default_of(name)
    shown = default.value if isinstance(default, Enum) else default
    return f"| `{name}` | {control.label} | {_code(shown)} | {_range(control, default)} | {control.help} |"


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


if __name__ == "__main__":
    README.write_text(updated(README.read_text(encoding="utf-8")), encoding="utf-8")
