"""What cards ask the server for: pictures, metadata, and one card anew."""

from __future__ import annotations

import json
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import HTTPException
from PIL import Image
from starlette.responses import FileResponse, JSONResponse, Response

from modules import errors, shared, ui_extra_networks
from modules.flavour import flavour

_COVERS = "ssmd_cover_images"
_MISSING = {"status_code": 404, "detail": "File not found"}


def _page(name: str) -> Any:
    return next((page for page in ui_extra_networks.extra_pages if page.name == name), None)


def fetch_file(filename: str = "") -> FileResponse:
    """Send a picture from the pages' folders.

    Raises:
        HTTPException: If there is no such file.
        ValueError: If it is elsewhere, or no picture.
    """
    path = Path(filename)
    if not path.is_file():
        raise HTTPException(**_MISSING)
    if not any(Path(folder).absolute() in path.absolute().parents for folder in ui_extra_networks.allowed_dirs):
        raise ValueError(f"File cannot be fetched: {filename}. It is in none of the pages' directories.")
    if path.suffix.lower()[1:] not in ui_extra_networks.allowed_preview_extensions():
        raise ValueError(f"File cannot be fetched: {filename}. Its extension is not allowed.")
    return FileResponse(filename, headers={"Accept-Ranges": "bytes"})


def fetch_cover_images(page: str = "", item: str = "", index: int = 0) -> Response:
    """Send a picture from an item's metadata.

    Raises:
        HTTPException: If there is none.
    """
    found = _page(page)
    metadata = found.metadata.get(item) if found else None
    covers = json.loads(metadata.get(_COVERS, "[]")) if metadata else []
    cover = covers[index] if index < len(covers) else None
    if not cover:
        raise HTTPException(**_MISSING)
    data = b64decode(cover)
    return Response(content=data, media_type=Image.open(BytesIO(data)).get_format_mimetype())


def get_metadata(page: str = "", item: str = "") -> JSONResponse:
    """Send an item's metadata as text, without the pictures in it."""
    found = _page(page)
    metadata = found.metadata.get(item) if found else None
    if metadata is None:
        return JSONResponse({})
    shown = {key: value for key, value in metadata.items() if key != _COVERS}
    return JSONResponse({"metadata": json.dumps(shown, indent=4, ensure_ascii=False)})


def get_single_card(page: str = "", tabname: str = "", name: str = "") -> JSONResponse:
    """Make one item again; the one from before stays if that fails."""
    found = _page(page)
    try:
        item = found.create_item(name, enable_filter=False)
        found.items[name] = item
    except Exception as error:  # noqa: BLE001  the contract: shown and swallowed
        errors.display(error, "creating item for extra network")
        item = found.items.get(name)
    found.read_user_metadata(item, use_cache=False)
    return JSONResponse({"html": found.create_item_html(tabname, item, shared.html("extra-networks-card.html"))})


def add_pages_to_demo(app: FastAPI) -> None:
    prefix = "/sd_extra_networks"
    app.add_api_route(f"{prefix}/thumb", fetch_file, methods=["GET"])
    if flavour.embedded_previews:
        app.add_api_route(f"{prefix}/cover-images", fetch_cover_images, methods=["GET"])
    app.add_api_route(f"{prefix}/metadata", get_metadata, methods=["GET"])
    app.add_api_route(f"{prefix}/get-single-card", get_single_card, methods=["GET"])
