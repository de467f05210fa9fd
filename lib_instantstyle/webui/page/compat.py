"""What gradio 3.41 and gradio 4 call by different names, and how each hands over what stands in its components."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from lib_instantstyle.pictures.formats import open_file


def is_gradio_4() -> bool:
    """Return whether pictures travel as files, not as texts."""
    return hasattr(gr, "ImageEditor")


def js(code: str) -> dict[str, str]:
    """Return the argument of an event that runs ``code`` on the page first."""
    return {"js" if is_gradio_4() else "_js": code}


def known(kind: Callable[..., Any], **options: Any) -> dict[str, Any]:
    """Return those of ``options`` that ``kind`` has in this gradio."""
    names = inspect.signature(kind).parameters
    return {name: value for name, value in options.items() if name in names}


def entries(payload: Any) -> Iterator[tuple[Any, str]]:
    """Return file and caption of each picture that a gallery holds."""
    for entry in getattr(payload, "root", payload) or ():
        if hasattr(entry, "image"):
            yield entry.image, entry.caption or ""
        elif isinstance(entry, (list, tuple)):
            yield entry[0], entry[1] or ""
        else:
            yield entry, ""


def gallery_value(shown: list[tuple[Any, str | None]]) -> Any:
    """Return what a gallery shows: the reverse of `entries`."""
    if is_gradio_4():
        return gr.Gallery.data_model(root=[{"image": file, "caption": caption} for file, caption in shown])
    return [file if caption is None else [file, caption] for file, caption in shown]


def open_written(file: Any, name: str) -> Any:
    """Open a file that the server wrote, and no other; `Unopened` says what became of one that is gone.

    Raises:
        AssertionError: If another program wrote it, or an earlier run.
    """
    if not is_gradio_4():
        from modules.infotext_utils import image_from_url_text

        return image_from_url_text(file)
    if not _is_written(file.path):
        raise AssertionError(file.path)
    return open_file(file.path, name)


def _is_written(path: str) -> bool:
    from gradio.utils import get_upload_folder, is_in_or_equal

    if is_in_or_equal(path, get_upload_folder()):
        return True
    from modules import shared, ui_tempdir

    return bool(ui_tempdir.check_tmp_file(shared.demo, path))
