"""Routes beside the host's own: version, schema, adapters."""

from __future__ import annotations

import secrets
from enum import Enum
from typing import Any

from lib_instantstyle import NAME, __version__
from lib_instantstyle.controls import Control
from lib_instantstyle.params import controls, default_of
from lib_instantstyle.webui import models

_PREFIX = "/instantstyle"


def register(_demo: Any, app: Any) -> None:
    """Add the routes; called by the host once its server exists. They ask for ``--api-auth`` as the host's do."""
    dependencies = _authentication()
    for path, endpoint in (("version", version), ("schema", schema), ("adapters", adapters)):
        app.add_api_route(f"{_PREFIX}/{path}", endpoint, methods=["GET"], dependencies=dependencies)


def version() -> dict[str, str]:
    """Return name and version of the extension."""
    return {"name": NAME, "version": __version__}


def schema() -> dict[str, Any]:
    """Return the JSON schema of the dict that the API takes as first argument."""
    properties = {name: _property(name, control) for name, control in controls().items()}
    return {"title": NAME, "type": "object", "additionalProperties": False, "properties": properties}


def adapters() -> list[dict[str, Any]]:
    """Return the adapters found, with what each can do and the encoders that suit it."""
    return [models.describe_adapter(adapter) for adapter in models.list_adapters()]


def _property(name: str, control: Control) -> dict[str, Any]:
    default = default_of(name)
    entry: dict[str, Any] = {"title": control.label, "description": control.help}
    if name == "image":
        return entry | {"type": ["string", "null"], "contentEncoding": "base64", "default": None}
    if control.choices:
        return entry | {"type": "string", "enum": [_value(m) for m in control.choices], "default": _value(default)}
    if isinstance(default, bool):
        return entry | {"type": "boolean", "default": default}
    if isinstance(default, float):
        return entry | {"type": "number", "minimum": control.minimum, "maximum": control.maximum, "default": default}
    return entry | {"type": "string", "default": default}


def _value(member: Enum) -> Any:
    return member.value


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
