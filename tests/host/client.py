"""The stand-in's API, for tests of the stand-in itself."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any, NamedTuple

SMALL = {"prompt": "a house", "steps": 1, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler"}
TIMEOUT = 120  # seconds


class Answer(NamedTuple):
    status: int
    body: Any

    @property
    def infotext(self) -> str:
        return json.loads(self.body["info"])["infotexts"][0]


class Client:
    def __init__(self, url: str) -> None:
        self.url = url

    def request(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json", **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
                return Answer(response.status, json.load(response))
        except urllib.error.HTTPError as error:
            return Answer(error.code, json.load(error))

    def txt2img(self, scripts: Any = None, **fields: Any) -> Answer:
        more = {} if scripts is None else {"alwayson_scripts": scripts}
        return self.request("/sdapi/v1/txt2img", {**SMALL, **more, **fields})
