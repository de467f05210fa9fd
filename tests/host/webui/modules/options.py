"""Settings: templates with defaults, and the values that differ."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from modules import errors


class OptionInfo:
    """One setting: default, label and component."""

    do_not_save = False

    def __init__(
        self,
        default: Any = None,
        label: str = "",
        component: Any = None,
        component_args: Any = None,
        onchange: Callable[[], None] | None = None,
        section: tuple | None = None,
        refresh: Callable[[], None] | None = None,
        comment_before: str = "",
        comment_after: str = "",
        infotext: str | None = None,
        restrict_api: bool = False,
        category_id: str | None = None,
    ) -> None:
        self.default, self.label = default, label
        self.component, self.component_args = component, component_args
        self.onchange, self.section, self.refresh = onchange, section, refresh
        self.comment_before, self.comment_after = comment_before, comment_after
        self.infotext, self.restrict_api, self.category_id = infotext, restrict_api, category_id

    def info(self, text: str) -> OptionInfo:
        self.comment_after += f"<span class='info'>({text})</span>"
        return self

    def html(self, text: str) -> OptionInfo:
        self.comment_after += text
        return self

    def link(self, label: str, url: str) -> OptionInfo:
        self.comment_before += f"[<a href='{url}' target='_blank'>{label}</a>]"
        return self

    def js(self, _label: str, _function: str) -> OptionInfo:
        return self

    def needs_restart(self) -> OptionInfo:
        return self.info("requires restart")

    def needs_reload_ui(self) -> OptionInfo:
        return self.info("requires Reload UI")


class OptionHTML(OptionInfo):
    """A text between settings."""

    do_not_save = True

    def __init__(self, text: str) -> None:
        super().__init__(str(text).strip(), label="", component=lambda **kwargs: gr.HTML(**kwargs))


def options_section(section: tuple, options: dict[str, OptionInfo]) -> dict[str, OptionInfo]:
    """Put ``options`` into ``section``: an id, a title and perhaps a category."""
    for option in options.values():
        option.section = section[:2]
        if len(section) > 2:
            option.category_id = section[2]
    return options


class Options:
    """The settings as attributes. What was never set reads as its default."""

    def __init__(self, data_labels: dict[str, OptionInfo]) -> None:
        object.__setattr__(self, "data_labels", data_labels)
        object.__setattr__(self, "data", {})

    def __getattr__(self, key: str) -> Any:
        if key in self.data:
            return self.data[key]
        if key in self.data_labels:
            return self.data_labels[key].default
        raise AttributeError(f"'Options' object has no attribute {key!r}")

    def __setattr__(self, key: str, value: Any) -> None:
        self.data[key] = value

    def set(self, key: str, value: Any, is_api: bool = False, run_callbacks: bool = True) -> bool:
        """Set a value and run its ``onchange``; a value that did not change, or may not, returns False."""
        old = self.data.get(key)
        option = self.data_labels.get(key)
        if option and (option.do_not_save or (is_api and option.restrict_api)):
            return False
        if key in self.data and old == value:
            return False
        self.data[key] = value
        if run_callbacks and option and option.onchange:
            try:
                option.onchange()
            except Exception:  # noqa: BLE001  the old value comes back instead
                errors.report(f"Error changing setting {key} to {value}", exc_info=True)
                self.data[key] = old
                return False
        return True

    def get_default(self, key: str) -> Any:
        option = self.data_labels.get(key)
        return option.default if option else None

    def onchange(self, key: str, func: Callable[[], None], call: bool = True) -> None:
        self.data_labels[key].onchange = func
        if call:
            func()

    def add_option(self, key: str, info: OptionInfo) -> None:
        self.data_labels[key] = info
        if key not in self.data and not info.do_not_save:
            self.data[key] = info.default

    def save(self, filename: str | Path) -> None:
        Path(filename).write_text(json.dumps(self.data, indent=4), encoding="utf-8")

    def load(self, filename: str | Path) -> None:
        if Path(filename).is_file():
            self.data.update(json.loads(Path(filename).read_text(encoding="utf-8")))

    def dumpjson(self) -> str:
        return json.dumps({key: self.data.get(key, info.default) for key, info in self.data_labels.items()})
