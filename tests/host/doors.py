"""The two doors to a job in the test's own process: the API without a socket, and what the Generate button calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.host.inprocess import DEFAULTS, InProcess, as_sent

if TYPE_CHECKING:
    import httpx


class Api:
    """The stand-in's routes and those of its extensions, as the command line and the settings are now."""

    def __init__(self) -> None:
        from modules import call_queue, script_callbacks
        from modules.api import api

        self._app = FastAPI()
        api.Api(self._app, call_queue.queue_lock)
        script_callbacks.app_started_callback(None, self._app)
        self._client = TestClient(self._app, raise_server_exceptions=False)

    def request(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return self._client.request(method, path, json=body, **options)

    def txt2img(self, scripts: dict[str, list[Any]], **fields: Any) -> httpx.Response:
        """Make a picture whose always-on ``scripts`` get these arguments."""
        arguments = {title: {"args": values} for title, values in scripts.items()}
        return self.request("POST", "/sdapi/v1/txt2img", {**DEFAULTS, **as_sent(fields), "alwayson_scripts": arguments})

    def routes(self, prefix: str) -> list[tuple[str, str]]:
        """Return method and path of each route that begins with ``prefix``."""
        ours = [route for route in self._app.routes if route.path.startswith(prefix)]
        return [(method, route.path) for route in ours for method in sorted(route.methods)]


def press_generate(host: InProcess, scripts: dict[str, list[Any]], **fields: Any) -> str:
    """Do what the button does, and return the HTML that the page shows below the picture."""
    from modules.generate import generator

    values = {**DEFAULTS, **fields}
    # On the page, scripts of the host's own hold these.
    own = {"Sampler": [values.pop("steps"), values.pop("sampler_name")], "Seed": [values.pop("seed")]}
    arguments = host.job(scripts={**own, **scripts}).script_args
    *_, said = generator("txt2img", list(values))(*values.values(), *arguments)
    return said
