"""What the page sends for pictures: as texts or as files, as this gradio does."""

from __future__ import annotations

import io
import tempfile
from base64 import b64encode
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from lib_instantstyle.webui.page.compat import is_gradio_4


def content_of(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def box_value(content: bytes) -> Any:
    """Return what a picture box sends of a file with ``content``."""
    if not is_gradio_4():
        return f"data:image/png;base64,{b64encode(content).decode()}"
    from gradio.utils import get_upload_folder

    folder = Path(tempfile.mkdtemp(dir=_made(get_upload_folder())))
    (folder / "image.png").write_bytes(content)
    return named(folder / "image.png")


def named(path: Path | str) -> Any:
    """Return what a gallery sends of the file ``path``."""
    return gr.FileData(path=str(path)) if is_gradio_4() else {"name": str(path), "data": None, "is_file": True}


def gallery_value(*entries: Any) -> Any:
    """Return what a gallery sends of files, some in a pair with a caption."""
    if not is_gradio_4():
        return list(entries)
    pairs = [entry if isinstance(entry, list) else (entry, None) for entry in entries]
    return gr.Gallery.data_model(root=[{"image": file, "caption": caption} for file, caption in pairs])


def _made(folder: str) -> str:
    Path(folder).mkdir(parents=True, exist_ok=True)
    return folder
