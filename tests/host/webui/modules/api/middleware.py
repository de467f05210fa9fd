"""Exceptions as answers."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import HTTPException
from fastapi.responses import JSONResponse

from modules import errors
from modules.flavour import flavour


def api_middleware(app: FastAPI) -> None:
    """Turn exceptions into answers: status and detail come from the exception's own attributes."""

    def answer(request: Request, error: Exception) -> JSONResponse:
        attributes = vars(error)
        body = {
            "error": type(error).__name__,
            "detail": attributes.get("detail", ""),
            "body": attributes.get("body", ""),
            flavour.error_key: str(error),
        }
        if not isinstance(error, HTTPException):
            errors.report(f"API error: {request.method}: {request.url} {body}", exc_info=False)
            traceback.print_exception(error)
        return JSONResponse(status_code=attributes.get("status_code", 500), content=jsonable_encoder(body))

    if not flavour.error_answers:
        app.add_exception_handler(Exception, answer)
        return

    @app.middleware("http")
    async def exception_handling(request: Request, call_next: Callable[..., Any]) -> Any:
        try:
            return await call_next(request)
        except Exception as error:  # noqa: BLE001  every exception has an answer
            return answer(request, error)

    @app.exception_handler(HTTPException)
    async def http_exception_handler(request: Request, error: HTTPException) -> JSONResponse:
        return answer(request, error)
