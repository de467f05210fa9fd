"""The page's English texts that the host can translate: `python -m tests.strings` puts `localizations/` in their order.

The host's script exchanges whole text nodes, titles and placeholders, so each text here is one of these; a sentence with
something in it that varies comes in parts. Of the messages, which the troubleshooting page lists under their own words,
only the page's own toasts are here; the others stay English.
"""

from __future__ import annotations

import ast
import html.parser
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from lib_instantstyle import NAME
from lib_instantstyle.fetch.catalogue import catalogue
from lib_instantstyle.models.adapter import Adapter, Kind
from lib_instantstyle.models.descriptions import adapter_text, encoder_kind
from lib_instantstyle.params import recipes
from lib_instantstyle.params.combination import MAX_PICTURES
from lib_instantstyle.params.controls import Control
from lib_instantstyle.params.declared import AUTOMATIC
from lib_instantstyle.params.style_params import controls

ROOT = Path(__file__).parents[1]
LANGUAGES = {path.stem: path for path in sorted((ROOT / "localizations").glob("*.json"))}
FILES = (
    *(
        "models/preflight",
        "webui/page/status",
        "webui/page/effects",
        "webui/page/tabs/style_tab",
        "webui/page/tabs/describing",
        "webui/page/tabs/earlier",
        "webui/page/fields",
        "webui/page/tabs/references_tab",
    ),
    *("webui/page/pictures", "webui/page/tabs/content_tab", "webui/page/svg/curve", "webui/page/svg/meter"),
    *("webui/page/tabs/timing_tab", "webui/page/tabs/regions_tab", "webui/page/tabs/blocks_tab"),
    "webui/page/tabs/self_attention_tab",
    *("webui/page/tabs/library_tab", "webui/page/tabs/models_tab", "webui/page/tabs/fetch_panel"),
    *("webui/page/send_buttons", "webui/page/accordion", "webui/setup/settings"),
)
ENCODERS = (1280, 1024)  # widths of those that adapters for SDXL use
_KEYWORDS = ("label", "second_label", "info", "placeholder", "tooltip")
_BUTTONS = ("gr.Accordion", "gr.Button", "gr.UploadButton", "_gauge")
_GAP = "\0"  # what varies
_UNTRANSLATED = re.compile(r"[^A-Za-z]*|<\w+:.*|.*\0.*", re.DOTALL)


def texts() -> list[str]:
    """Return every text once, controls first, in the order of the page."""
    found = [*_of_controls(), *_of_data()]
    for name in FILES:
        found += _Reader(ROOT / "lib_instantstyle" / f"{name}.py").texts()
    return list(dict.fromkeys([*found, *axes()]))


def choices() -> list[str]:
    """Return what dropdowns offer. Their boxes show it in English when chosen, so its translation has both."""
    enums = [control.choices for control in controls().values() if control.choices]
    found = [AUTOMATIC, *(str(member.value) for members in enums for member in members)]
    found += [text for control in controls().values() for text in control.suggestions]
    return list(dict.fromkeys([*found, *(recipe.name for recipe in recipes.RECIPES)]))


def axes() -> dict[str, str]:
    """Return the axes of the X/Y/Z plot with the labels they are named after."""
    return {f"[{NAME}] {control.label}": control.label for control in controls().values() if control.axis}


def _of_controls() -> Iterator[str]:
    for name, control in controls().items():
        if name == "enabled":  # the accordion itself
            continue
        yield control.label
        if not control.pictures:  # boxes for pictures have no room for help
            yield control.help
        yield from _choices_of(control)


def _choices_of(control: Control) -> list[str]:
    return [str(member.value) for member in control.choices] if control.choices else list(control.suggestions)


def _of_data() -> Iterator[str]:
    yield AUTOMATIC
    yield from _spread("Reference {number}")  # under the masks
    yield from ("references", "layout", "negative", "subject", "region", "regions")  # in the accordion's title
    for name in ("adapter", "style"):
        yield f"{controls()[name].label}: refresh"  # the host's words
    for recipe in recipes.RECIPES:
        yield from (recipe.name, recipe.advice)
    for width in ENCODERS:
        yield f"Image encoder {encoder_kind(SimpleNamespace(projection_width=width))}"
    for entry in catalogue().sets:
        adapter = Adapter(Path(), Kind(entry.kind), entry.embedding_width, 0, 0, {}, None)
        yield from (adapter_text(adapter, has_encoder=here) for here in (True, False))
        yield entry.text


class _Reader:
    """Finds the texts in a module's syntax tree."""

    def __init__(self, path: Path) -> None:
        self._tree = ast.parse(path.read_text(encoding="utf-8"))
        assigned = [node for node in self._tree.body if isinstance(node, ast.Assign)]
        self._constants = {
            ast.unparse(node.targets[0]): node.value.value
            for node in assigned
            if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        }

    def texts(self) -> list[str]:
        """Return them in the order in which they stand."""
        nodes = list(ast.walk(self._tree))
        parts = {part for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        whole = [node for node in nodes if hasattr(node, "lineno") and node not in parts]
        whole.sort(key=lambda node: (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset))
        return [text for node in whole for text in self._of(node)]

    def _of(self, node: ast.AST) -> list[str]:
        found: list[str | None] = []
        if isinstance(node, ast.Call):
            found += self._of_call(node)
        elif isinstance(node, ast.FunctionDef) and node.name in ("_tabs", "next_step"):
            inner = (part.elts[0] for part in ast.walk(node) if isinstance(part, ast.Tuple))
            returned = (part.value for part in ast.walk(node) if isinstance(part, ast.Return) and part.value)
            found += [self._text(part) for part in (*inner, *returned)]
        elif isinstance(node, (ast.Constant, ast.JoinedStr)):
            found += _nodes(self._text(node) or "")
        return [part for text in found if text for part in _spread(text) if not _UNTRANSLATED.fullmatch(part)]

    def _of_call(self, call: ast.Call) -> list[str | None]:
        called, values = ast.unparse(call.func), call.args
        if called == "fields.extra":  # the kind of component, its name, and what the kind takes
            called, values = ast.unparse(values[0]), values[2:]
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        found = [self._text(value) for name, value in keywords.items() if name in _KEYWORDS]
        if called in _BUTTONS and values:
            found.append(self._text(values[0]))
        elif called in ("gr.Info", "gr.Error"):  # toasts
            found.append(self._text(call.args[0]))
        elif called == "Check":  # of the status line: its name, and what to do
            found += [self._text(call.args[0]), *map(self._text, call.args[3:])]
        elif called == "shared.OptionInfo":
            found.append(self._text(call.args[1]))
            found += [self._constants.get(name) for name in ("ON_ERROR_STOP", "ON_ERROR_WARN")]
        elif called.endswith(".info"):  # the host puts it in brackets
            found.append(f"({self._text(call.args[0])})")
        elif called == "gr.Dropdown" and isinstance(offered := keywords.get("choices"), ast.List):
            found += [self._text(offer) for offer in offered.elts]
        return found

    def _text(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        if isinstance(node, ast.Name):
            return self._constants.get(node.id)
        if isinstance(node, ast.JoinedStr):
            return "".join(self._text(part) or _GAP for part in node.values)
        if isinstance(node, ast.BoolOp):
            return self._text(node.values[-1])
        if isinstance(node, ast.FormattedValue):
            return "{number}" if ast.unparse(node.value) == "number" else self._text(node.value)
        return None


def _spread(text: str) -> list[str]:
    """Return ``text`` for each reference, where it names one."""
    return [text.replace("{number}", str(number)) for number in range(1, MAX_PICTURES + 1)] if "{" in text else [text]


def _nodes(markup: str) -> list[str]:
    """Return the text nodes and titles of HTML; none of what is no HTML."""
    found: list[str] = []
    parser = html.parser.HTMLParser()
    parser.handle_data = lambda data: found.append(data.strip())  # type: ignore[method-assign]
    parser.handle_starttag = lambda _, given: found.extend(text for name, text in given if name == "title" and text)  # type: ignore[method-assign]
    parser.feed(markup)
    return found if re.search(r"</?[a-z]\w*[ >]", markup) else []


def _rewrite() -> None:
    """Put each file in order, name the axes after their labels, and say what is missing or stale."""
    for language, path in LANGUAGES.items():
        known = json.loads(path.read_text(encoding="utf-8"))
        known |= {axis: f"[{NAME}] {known[label]} ({label})" for axis, label in axes().items() if label in known}
        ordered = {text: known[text] for text in texts() if text in known}
        print(
            language, "missing:", [text for text in texts() if text not in known], "stale:", set(known) - set(texts())
        )
        path.write_text(json.dumps(ordered, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _rewrite()
