"""Our routes: version, schema, adapters, preflight, models to get, and styles."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from lib_instantstyle import NAME, __version__
from lib_instantstyle.errors import ParameterError
from lib_instantstyle.fetch.catalogue import size_text
from lib_instantstyle.library.style_index import StyleEntry
from lib_instantstyle.library.style_library import content_of
from lib_instantstyle.models.adapter import Adapter
from lib_instantstyle.models.descriptions import adapter_abilities, adapter_kind
from lib_instantstyle.models.encoder_file import EncoderFile
from lib_instantstyle.params.controls import quoted
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.webui.encoding.job_pictures import style_alone, with_adapter
from lib_instantstyle.webui.extension import Extension
from lib_instantstyle.webui.jobs.arguments import read_arguments
from lib_instantstyle.webui.routes.access import asked_by_host, while_idle, with_http_errors
from lib_instantstyle.webui.routes.schema import json_schema
from lib_instantstyle.webui.styles.measure import Measurement, measure
from lib_instantstyle.webui.styles.saving import save_style

_PREFIX = "/instantstyle"


class Api:
    """Answers the routes."""

    def __init__(self, extension: Extension) -> None:
        self._builder = extension.builder
        self._models = extension.models
        self._library = extension.library
        self._fetching = extension.fetching
        self._readiness = extension.readiness

    def register(self, app: Any) -> None:
        """Add the routes to the host's server if its own API is there, and ask for what that asks for."""
        from fastapi import Body, Request
        from fastapi.responses import JSONResponse

        dependencies = asked_by_host(app)
        if dependencies is None:
            return
        body = Body(default={})

        def post_style(values: dict[str, Any] = body) -> Any:
            return while_idle(self.save_style, values)

        def post_embed(values: dict[str, Any] = body) -> Any:
            return while_idle(self.embed, values)

        def post_fetch(values: dict[str, Any] = body) -> Any:
            return with_http_errors(self._fetching.request, values)

        def get_preflight(request: Any) -> Any:
            return with_http_errors(self._readiness.report, dict(request.query_params))

        get_preflight.__annotations__["request"] = Request  # FastAPI finds no names of a function's own imports

        routes = (
            ("GET", "version", version),
            ("GET", "schema", json_schema),
            ("GET", "adapters", self.adapters),
            ("GET", "styles", lambda: JSONResponse(self.styles())),  # FastAPI would look at each value
            ("GET", "styles/{name}", lambda name: with_http_errors(self.export_style, name)),
            ("POST", "styles", post_style),
            ("DELETE", "styles/{name}", lambda name: with_http_errors(self.delete_style, name)),
            ("POST", "embed", post_embed),
            ("GET", "preflight", get_preflight),
            ("GET", "models/fetch", lambda: self._fetching.report()),
            ("POST", "models/fetch", post_fetch),
            ("DELETE", "models/fetch", self._fetching.cancel),
        )
        for method, path, endpoint in routes:
            app.add_api_route(f"{_PREFIX}/{path}", endpoint, methods=[method], dependencies=dependencies)

    def adapters(self) -> list[dict[str, Any]]:
        """Return the adapters found, with what each can do and the encoders that suit it."""
        found = self._models.look()
        return [_adapter_entry(adapter, found.encoders) for adapter in found.adapters]

    def styles(self) -> list[dict[str, Any]]:
        """Return the saved styles; a damaged one with the reason instead of its settings."""
        return [self._style_entry(entry) for entry in self._library.entries()]

    def export_style(self, name: str) -> dict[str, Any]:
        """Return a style with its whole file as base64, which `save_style` takes as ``file``."""
        entry = self._library.existing(name)
        return {**self._style_entry(entry), "file": base64.b64encode(content_of(entry.path)).decode()}

    def save_style(self, values: dict[str, Any]) -> dict[str, Any]:
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
            path = self._library.import_file(name, _decoded(values["file"]), replace=replace)
        else:
            path = save_style(name, self._params(values["style"]), self._builder, replace=replace)
        return self._style_entry(self._library.existing(path.stem))

    def delete_style(self, name: str) -> dict[str, Any]:
        """Delete a style."""
        self._library.delete(name)
        return {"deleted": name}

    def embed(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the embeddings of the references in a dict as for a job, and how much content they hold.

        Raises:
            InstantStyleError: If something in the dict cannot be used.
        """
        style = self._builder.for_one_job().from_accordion(with_adapter(style_alone(self._params(values))))
        found = measure(style) if style.contents else Measurement([], [])
        adapter, embeddings = style.for_adapter
        return {
            "kind": adapter.kind.value,
            "adapter": adapter.path.name,
            "references": list(style.hashes.style) if style.hashes else [],
            "embeddings": [embedding.mean(dim=0).tolist() for embedding in embeddings.style],
            "contents": [
                {"content": words, "weight": weight, "before": before, "after": after}
                for (words, weight), before, after in found.resemblances
            ],
            "warnings": found.warnings,
        }

    def _params(self, values: Any) -> StyleParams:
        if not isinstance(values, dict):
            raise ParameterError(f"A dict with the keys of a job is needed; got {quoted(values)}.")
        return read_arguments([{**values, "enabled": True}], self._library)

    def _style_entry(self, entry: StyleEntry) -> dict[str, Any]:
        facts = self._library.facts(entry)
        shown: dict[str, Any] = {"name": entry.name, "sha256": facts.sha256[:12], "bytes": entry.size}
        if facts.error:
            return {**shown, "error": facts.error}
        kind = {"kind": facts.kind, "embedding_width": facts.width, "references": facts.references}
        return {**shown, **kind, "settings": dict(facts.settings)}


def _adapter_entry(adapter: Adapter, encoders: Sequence[EncoderFile]) -> dict[str, Any]:
    """Describe an adapter; the first of its ``encoders`` is the one that jobs use."""
    return {
        "name": adapter.path.name,
        "description": f"{adapter_kind(adapter)}, {size_text(adapter.bytes)}: {adapter_abilities(adapter)}",
        "folder": str(adapter.path.parent),
        "kind": adapter.kind.value,
        "embedding_width": adapter.embedding_width,
        "tokens": adapter.tokens,
        "sites": len(adapter.widths),
        "removes_content": adapter.removes_content,
        "bytes": adapter.bytes,
        "encoders": [encoder.path.name for encoder in encoders if encoder.suits(adapter)],
    }


def version() -> dict[str, str]:
    """Return name and version of the extension."""
    return {"name": NAME, "version": __version__}


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ParameterError(f"'file' must be a style file as base64 ({error}).") from error
