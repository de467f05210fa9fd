"""Scripts and styles in the page's head: the stand-in's own, then those of extensions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from modules import scripts
from modules.paths_internal import script_path


def _url(path: str) -> str:
    return f"file={path}?{Path(path).stat().st_mtime}"


def javascript_html() -> str:
    own = str(Path(script_path) / "script.js")
    files = [own, *(file.path for file in scripts.list_scripts("javascript", ".js"))]
    modules = [file.path for file in scripts.list_scripts("javascript", ".mjs")]
    lines = [f'<script type="text/javascript" src="{_url(path)}"></script>' for path in files]
    lines += [f'<script type="module" src="{_url(path)}"></script>' for path in modules]
    return "\n".join(lines)


def css_html() -> str:
    sheets = scripts.list_files_with_name("style.css")
    return "\n".join(f'<link rel="stylesheet" property="stylesheet" href="{_url(path)}">' for path in sheets)


_original_template_response = gr.routes.templates.TemplateResponse


def reload_javascript() -> None:
    """Put the current files into every page that is served from now on."""
    head, body = javascript_html(), css_html()

    def template_response(*args: Any, **kwargs: Any) -> Any:
        response = _original_template_response(*args, **kwargs)
        page = response.body.replace(b"</head>", f"{head}\n</head>".encode(), 1)
        response.body = page.replace(b"</body>", f"{body}\n</body>".encode(), 1)
        response.init_headers()
        return response

    gr.routes.templates.TemplateResponse = template_response
