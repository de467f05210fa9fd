"""What a host on gradio 4 makes of it, so that pages written for gradio 3 build: names of options and of events."""

from __future__ import annotations

import functools
import inspect
import urllib.request
from collections.abc import Callable
from typing import Any

import gradio as gr

IS_4 = hasattr(gr, "ImageEditor")
Function = Callable[..., Any]


def install() -> None:
    """Change gradio's own classes, before any other is made of them; nothing on gradio 3."""
    if not IS_4 or hasattr(gr, "stand_in"):
        return
    gr.stand_in = True
    import gradio.component_meta as meta

    write = meta.create_or_modify_pyi
    meta.create_or_modify_pyi = lambda kind, *rest: (
        None if hasattr(kind, "webui_do_not_create_gradio_pyi_thank_you") else write(kind, *rest)
    )
    meta.updateable = lambda init: init  # it drops positional arguments
    for name in {*gr.components.__all__, *gr.layouts.__all__, "Blocks"}:
        kind = getattr(gr, name, None)
        if inspect.isclass(kind) and getattr(kind, "EVENTS", None) is not None:
            _take_old_names(kind)
    gr.events.Dependency = _Dependency


def _take_old_names(kind: type) -> None:
    for event in kind.EVENTS:
        setattr(kind, str(event), _taking_js(getattr(kind, str(event))))
    if kind is gr.Blocks or "__init__" not in vars(kind):
        return
    original = kind.__init__
    known = inspect.signature(original).parameters

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, source: str | None = None, tooltip: str | None = None, **options: Any) -> None:  # noqa: N807
        if source:
            options["sources"] = [source]
        original(self, *args, **{name: value for name, value in options.items() if name in known})
        self.webui_tooltip = tooltip

    kind.__init__ = __init__


def _taking_js(event: Function) -> Function:
    """Let an event take ``_js``."""

    @functools.wraps(event)
    def taking(*args: Any, _js: str | None = None, **options: Any) -> Any:
        return event(*args, **(options if _js is None else {**options, "js": _js}))

    return taking


class _Dependency(gr.events.Dependency if IS_4 else object):  # type: ignore[misc]
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.then = _taking_js(self.then)


def before_start(demo: gr.Blocks) -> None:
    """Set what ``launch`` would."""
    demo.max_file_size = demo.favicon_path = None
    demo.root_path, demo.ssl_verify, demo.state_session_capacity = "", True, 10000
    demo.show_api = demo.dev_mode = False
    demo.is_colab = demo.is_kaggle = demo.share = False
    demo._queue.max_thread_count = demo.max_threads


def after_start(demo: gr.Blocks) -> None:
    """Start the queue, from inside the server's loop."""
    demo._queue.set_server_app(demo.app)
    urllib.request.urlopen(f"{demo.local_url}startup-events").close()
