"""Every message of the library stands in docs/troubleshooting.md under its own words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPANS = [
    " ".join(span.split()) for span in re.findall(r"`([^`]+)`", (ROOT / "docs/troubleshooting.md").read_text("utf-8"))
]
# Which argument is the text; of every call it may be the one called message.
SAYING = {
    "self.note": 0,
    "self._record.note": 0,
    "self._say": 0,
    "gr.Error": 0,
    "gr.Info": 0,
    "gr.Warning": 0,
    "logger.warning": 0,
    "super().__init__": 0,
}
FIRST = ("warnings.append", "idle.append")  # of texts that are said together
ALL = ("LeftOut",)  # whose arguments are all said
GAP = "\0"  # what varies in a message


def _template(node: ast.expr, constants: dict[str, str]) -> str | None:
    """The text of ``node`` with gaps, or None where it is no text with words of its own."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_template(part, constants) or GAP for part in node.values)
    if isinstance(node, ast.Name):
        return constants.get(node.id)
    if isinstance(node, ast.FormattedValue):
        return constants.get(ast.unparse(node.value), GAP)
    return None


def _said(node: ast.AST) -> list[ast.expr]:
    """The texts that ``node`` says to the user."""
    if isinstance(node, ast.Return) and isinstance(node.value, ast.JoinedStr):
        return [node.value]
    if not isinstance(node, ast.Call):
        return []
    if named := [keyword.value for keyword in node.keywords if keyword.arg == "message"]:
        return named
    called = ast.unparse(node.func)
    if called in ALL:
        return node.args
    if called in FIRST or re.fullmatch(r"[A-Z]\w*Error", called):
        return node.args[:1]
    place = SAYING.get(called, len(node.args))
    return node.args[place : place + 1]


def _messages(path: Path) -> Iterator[tuple[int, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assigned = [node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)]
    # Whole sentences; numbers and names are gaps like any other value.
    constants = {ast.unparse(node.targets[0]): text for node in assigned if " " in (text := str(node.value.value))}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    makers = [function for function in functions if function.name.endswith("_message")]
    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and not any(node in ast.walk(maker) for maker in makers):
            continue
        for said in _said(node):
            template = _template(said, constants)
            if template and re.search(r"\w{3}", template.replace(GAP, "")):
                yield node.lineno, template


MESSAGES = [
    pytest.param(template, id=f"{path.stem}-{line}")
    for path in sorted((ROOT / "lib_instantstyle").rglob("*.py"))
    for line, template in _messages(path)
]


@pytest.mark.parametrize("template", MESSAGES)
def test_a_message_is_explained(template: str) -> None:
    words = ".+?".join(re.escape(part) for part in template.replace("%s", GAP).split(GAP))
    assert any(re.search(words, span) for span in SPANS), template.replace(GAP, "…")


def test_messages_are_found() -> None:
    assert len(MESSAGES) > 100


def test_nothing_is_explained_that_nobody_says() -> None:
    """A message that is gone leaves the page too."""
    known = "\n".join(param.values[0] for param in MESSAGES)
    long = [span for span in SPANS if len(span.split()) > 7]
    assert not [span for span in long if not any(_fits(template, span) for template in known.split("\n"))]


def _fits(template: str, span: str) -> bool:
    parts = [part for part in template.split(GAP) if len(part) > 8]
    return bool(parts) and all(part.strip() in span for part in parts)
