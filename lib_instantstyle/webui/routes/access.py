"""Who may call our routes, when they run, and how errors are answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lib_instantstyle.errors import InstantStyleError, UnknownStyleError

_HOSTS_ROUTE = "/sdapi/v1/txt2img"  # stands for all of the host's API


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


def asked_by_host(app: Any) -> list[Any] | None:
    """Return what the host's own API asks of a caller, as FastAPI dependencies; None if the host runs without one.

    The host calls ``app_started`` without ``--api`` too; then nothing but gradio's login guards the server, and routes
    added here would stand outside of it.
    """
    own = [route for route in app.routes if getattr(route, "path", "") == _HOSTS_ROUTE]
    return list(own[0].dependencies) if own else None
