"""Who may call our routes, when they run, and how errors are answered."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from lib_instantstyle.errors import InstantStyleError, UnknownStyleError


def while_idle(endpoint: Callable[[Any], Any], values: Any) -> Any:
    """Answer while no picture is being made: for endpoints that use the model."""
    from modules import call_queue

    with call_queue.queue_lock:
        return with_http_errors(endpoint, values)


def with_http_errors(endpoint: Callable[[Any], Any], values: Any) -> Any:
    """Answer, and turn our errors into HTTP answers."""
    from fastapi import HTTPException

    try:
        return endpoint(values)
    except UnknownStyleError as error:
        raise HTTPException(404, error.detail) from error
    except InstantStyleError as error:
        raise HTTPException(error.status_code, error.detail) from error


def authentication() -> list[Any]:
    """Return the FastAPI dependencies that check the accounts of ``--api-auth``, as the host's own routes do."""
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
