"""Routes beside the host's own: version, schema, adapters, preflight, models to get, and the styles."""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import Any

from lib_instantstyle import NAME, __version__
from lib_instantstyle.controls import quoted
from lib_instantstyle.errors import InstantStyleError, ParameterError, StyleError, UnknownStyleError
from lib_instantstyle.params import StyleParams
from lib_instantstyle.webui import fetching, library, models, readiness, saving
from lib_instantstyle.webui.arguments import read_arguments
from lib_instantstyle.webui.host import A1111Host
from lib_instantstyle.webui.measure import measure_stylist
from lib_instantstyle.webui.pictures import style_alone
from lib_instantstyle.webui.schema import describe
from lib_instantstyle.webui.stylist import from_accordion

_PREFIX = "/instantstyle"
_NOT_FOUND = 404


def register(_demo: Any, app: Any) -> None:
    """Add the routes; called by the host once its server exists. They ask for ``--api-auth`` as the host's do."""
    from fastapi import Body

    body = Body(default={})

    def post_style(values: dict[str, Any] = body) -> Any:
        return _answered(save_style, values)

    def post_embed(values: dict[str, Any] = body) -> Any:
        return _answered(embed, values)

    def post_fetch(values: dict[str, Any] = body) -> Any:
        return _mended(fetching.request, values)

    routes = (
        ("GET", "version", version),
        ("GET", "schema", schema),
        ("GET", "adapters", adapters),
        ("GET", "styles", styles),
        ("GET", "styles/{name}", lambda name: _mended(export_style, name)),
        ("POST", "styles", post_style),
        ("DELETE", "styles/{name}", lambda name: _mended(delete_style, name)),
        ("POST", "embed", post_embed),
        ("GET", "preflight", readiness.describe),
        ("GET", "models/fetch", fetching.describe),
        ("POST", "models/fetch", post_fetch),
        ("DELETE", "models/fetch", fetching.cancel),
    )
    dependencies = _authentication()
    for method, path, endpoint in routes:
        app.add_api_route(f"{_PREFIX}/{path}", endpoint, methods=[method], dependencies=dependencies)


def version() -> dict[str, str]:
    """Return name and version of the extension."""
    return {"name": NAME, "version": __version__}


def schema() -> dict[str, Any]:
    """Return the JSON schema of the dict that the API takes as first argument."""
    return describe()


def adapters() -> list[dict[str, Any]]:
    """Return the adapters found, with what each can do and the encoders that suit it."""
    return [models.describe_adapter(adapter) for adapter in models.list_adapters()]


def styles() -> list[dict[str, Any]]:
    """Return the saved styles; a damaged one with the reason instead of its settings."""
    return [_summary(name) for name in library.names()]


def export_style(name: str) -> dict[str, Any]:
    """Return a style with its whole file as base64, which `save_style` takes as ``file``."""
    path = library.existing(name)
    return {**_summary(path.stem), "file": base64.b64encode(library.content_of(path)).decode()}


def save_style(values: dict[str, Any]) -> dict[str, Any]:
    """Save a style: ``name``, and either ``style`` (a dict as for a job) or ``file``; ``replace`` to overwrite.

    Raises:
        InstantStyleError: If a key is missing or cannot be used.
    """
    known = {"name", "style", "file", "replace"}
    if unknown := sorted(set(values) - known):
        raise ParameterError(f"Unknown key {quoted(unknown[0])}. Known keys: {', '.join(sorted(known))}.")
    name, replace = values.get("name"), values.get("replace", False)
    if not isinstance(name, str) or not isinstance(replace, bool) or ("file" in values) == ("style" in values):
        raise ParameterError(
            "Send 'name' (a text) and either 'style' (a dict) or 'file' (base64); 'replace' is a bool."
        )
    if "file" in values:
        path = library.import_file(name, _decoded(values["file"]), replace=replace)
    else:
        path = saving.save(name, _params(values["style"]), replace=replace)
    return _summary(path.stem)


def delete_style(name: str) -> dict[str, Any]:
    """Delete a style."""
    library.delete(name)
    return {"deleted": name}


def embed(values: dict[str, Any]) -> dict[str, Any]:
    """Return the embeddings of the references in a dict as for a job, and how much content they hold.

    Raises:
        InstantStyleError: If something in the dict cannot be used.
    """
    stylist = from_accordion(style_alone(_params(values)), A1111Host())
    answer: dict[str, Any] = {
        "kind": stylist.adapter.kind.value,
        "adapter": stylist.adapter.path.name,
        "references": list(stylist.recalled.style) if stylist.recalled else [],
        "embeddings": [embedding.mean(dim=0).tolist() for embedding in stylist.embeddings.style],
        "contents": [],
        "warnings": [],
    }
    if stylist.contents:
        found = measure_stylist(stylist)
        answer["warnings"] = found.warnings
        answer["contents"] = [
            {"content": words, "weight": weight, "before": before, "after": after}
            for (words, weight), before, after in found.resemblances
        ]
    return answer


def _params(values: Any) -> StyleParams:
    if not isinstance(values, dict):
        raise ParameterError(f"A dict with the keys of a job is needed; got {quoted(values)}.")
    return read_arguments([{**values, "enabled": True}])


def _summary(name: str) -> dict[str, Any]:
    path = library.existing(name)
    entry: dict[str, Any] = {"name": name, "sha256": library.hash_of(name), "bytes": path.stat().st_size}
    try:
        style = library.find(name)
    except StyleError as error:
        return {**entry, "error": str(error)}
    kind = {"kind": style.kind.value, "embedding_width": style.width, "references": len(style.embeddings.style)}
    return {**entry, **kind, "settings": dict(style.settings)}


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ParameterError(f"'file' must be a style file as base64 ({error}).") from error


def _answered(endpoint: Any, values: Any) -> Any:
    """Answer while no picture is being made: for what needs the model."""
    from modules import call_queue

    with call_queue.queue_lock:
        return _mended(endpoint, values)


def _mended(endpoint: Any, values: Any) -> Any:
    """Turn our errors into HTTP answers."""
    from fastapi import HTTPException

    try:
        return endpoint(values)
    except UnknownStyleError as error:
        raise HTTPException(_NOT_FOUND, error.detail) from error
    except InstantStyleError as error:
        raise HTTPException(error.status_code, error.detail) from error


def _authentication() -> list[Any]:
    from fastapi import Depends, HTTPException
    from fastapi.security import HTTPBasic
    from modules import shared

    configured = getattr(shared.cmd_opts, "api_auth", None)
    if not configured:
        return []
    accounts = dict(entry.strip().split(":", 1) for entry in configured.split(","))

    def authenticate(credentials: Any = Depends(HTTPBasic())) -> None:  # noqa: B008  FastAPI's way
        expected = accounts.get(credentials.username, "")
        if not (expected and secrets.compare_digest(credentials.password.encode(), expected.encode())):
            raise HTTPException(401, "Incorrect username or password", {"WWW-Authenticate": "Basic"})

    return [Depends(authenticate)]
