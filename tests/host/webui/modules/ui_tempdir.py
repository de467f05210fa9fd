"""Files that the page may show, and pictures that are shown from where they were saved."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image, PngImagePlugin

from modules import gradio4, shared


def register_tmp_file(gradio: Any, filename: str) -> None:
    """Let the page ``gradio`` show ``filename``."""
    if hasattr(gradio, "temp_file_sets"):
        gradio.temp_file_sets[0] = gradio.temp_file_sets[0] | {str(Path(filename).absolute())}


def check_tmp_file(gradio: Any, filename: str) -> bool:
    """Whether the page made ``filename`` itself, or was given it."""
    return hasattr(gradio, "temp_file_sets") and any(filename in names for names in gradio.temp_file_sets)


def save_pil_to_file(self: Any, pil_image: Image.Image, dir: str | None = None, format: str = "png") -> str:
    """Return a file with the picture: the one it was saved to with its time, or a new one that keeps its text."""
    saved = getattr(pil_image, "already_saved_as", None)
    if saved and Path(saved).is_file():
        dated = f"{saved}?{Path(saved).stat().st_mtime}"
        register_tmp_file(shared.demo, saved)
        register_tmp_file(shared.demo, dated)
        return dated
    if shared.opts.temp_dir:
        dir = shared.opts.temp_dir
    else:
        Path(dir).mkdir(parents=True, exist_ok=True)
    text = PngImagePlugin.PngInfo()
    for key, value in pil_image.info.items():
        if isinstance(key, str) and isinstance(value, str):
            text.add_text(key, value)
    with tempfile.NamedTemporaryFile(delete=False, suffix=".png", dir=dir) as file:
        pil_image.save(file, "PNG", pnginfo=text)
    return file.name


def install_ui_tempdir_override() -> None:
    """Replace gradio's own way to write pictures."""
    if gradio4.IS_4:
        gr.processing_utils.save_pil_to_cache = _save_undated
        return
    gr.components.IOComponent.pil_to_temp_file = save_pil_to_file


def _save_undated(pil_image: Image.Image, cache_dir: str, format: str = "png") -> str:
    """Gradio 4 copies the file, so no browser takes a new picture for an old one."""
    return save_pil_to_file(None, pil_image, cache_dir, format).partition("?")[0]
