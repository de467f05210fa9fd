"""A WebUI by its address, spoken to as any program would."""

from __future__ import annotations

import base64
import io
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from PIL import Image

TIMEOUT = 600  # seconds; a CPU may be slow
SMALL = {
    "prompt": "a house",
    "negative_prompt": "blurry",
    "steps": 3,
    "width": 64,
    "height": 64,
    "seed": 1,
    "sampler_name": "Euler",
    "cfg_scale": 5,
}


# Of an X/Y/Z plot: the single pictures beside the grid, and seeds as they are. The rest stays as it is offered.
PLOT = {"Include Sub Images": True, "Keep -1 for seeds": True}
# Where a hires pass has settings of its own, these are the ones of the first pass.
HIRES_FIELDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "hr_additional_modules": lambda _body: ["Use same choices"],
    "hr_cfg": lambda body: body["cfg_scale"],
}


@dataclass(frozen=True)
class Answer:
    """One answer of the generation API."""

    status: int
    body: dict[str, Any] = field(repr=False)

    @property
    def pictures(self) -> list[bytes]:
        """The pixels of every picture, without a grid."""
        return [Image.open(io.BytesIO(base64.b64decode(text))).tobytes() for text in self.body["images"]]

    @property
    def infotexts(self) -> list[str]:
        return json.loads(self.body["info"])["infotexts"]

    @property
    def error(self) -> str:
        """The text of an error, by whichever name the WebUI gives it."""
        return self.body["errors"] if "errors" in self.body else self.body["message"]

    @property
    def styled(self) -> bool:
        """Whether the infotext says that InstantStyle acted."""
        return "InstantStyle: " in self.infotexts[0]


class WebUI:
    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._saved: set[str] = set()

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=TIMEOUT) as response:
            return json.load(response)

    def file(self, path: str) -> bytes:
        """Read a file that the page may show."""
        address = f"{self.url}/file={urllib.parse.quote(path)}"
        with urllib.request.urlopen(address, timeout=TIMEOUT) as response:
            return response.read()

    def post(self, path: str, body: dict[str, Any]) -> Answer:
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
                return Answer(response.status, json.load(response) or {})
        except urllib.error.HTTPError as error:
            return Answer(error.code, json.load(error))

    def txt2img(self, style: Any = None, **fields: Any) -> Answer:
        return self._generate("txt2img", style, fields)

    def img2img(self, style: Any = None, **fields: Any) -> Answer:
        return self._generate("img2img", style, fields)

    @cached_property
    def fields(self) -> frozenset[str]:
        """The names of what a request of txt2img may have: an answer repeats them all."""
        return frozenset(self.txt2img(steps=1).body["parameters"])

    def plot_axes(self) -> list[str]:
        """Return the axes that the X/Y/Z plot of txt2img offers."""
        choices: list[str] = self._plot_arguments()[0]["choices"]
        return choices

    def _plot_arguments(self) -> list[dict[str, Any]]:
        plots = (entry for entry in self.get("/sdapi/v1/script-info") if entry["name"] == "x/y/z plot")
        return next(entry["args"] for entry in plots if not entry["is_img2img"])

    def plot(self, style: Any, *axes: tuple[str, str | list[str]]) -> Answer:
        """Make an X/Y/Z plot over up to three axes: the label of each, and its values as text or as choices."""
        answer = self.try_plot(style, *axes)
        assert answer.status == 200, answer.body
        return answer

    def try_plot(self, style: Any, *axes: tuple[str, Any], csv_mode: bool = False) -> Answer:
        """Ask for such a plot; ``csv_mode`` is the script's "Use text inputs instead of dropdowns"."""
        offered, arguments = self.plot_axes(), []
        for label, values in (*axes, *[("Nothing", "")] * (3 - len(axes))):
            text, listed = (values, []) if csv_mode or not isinstance(values, list) else ("", values)
            arguments += [offered.index(label), text, listed]
        rest = {entry["label"]: entry["value"] for entry in self._plot_arguments()[len(arguments) :]}
        assert set(PLOT) <= set(rest)
        chosen = rest | PLOT | {"Use text inputs instead of dropdowns": csv_mode}
        return self.txt2img(style, script_name="x/y/z plot", script_args=[*arguments, *chosen.values()])

    def option(self, name: str) -> Any:
        """Return a setting.

        The route lists none of an extension's, if another one imports the WebUI's API models before they are
        registered, as sd-webui-controlnet does: then the page tells its value at the start.

        Raises:
            KeyError: If there is no such setting.
        """
        listed = self.get("/sdapi/v1/options")
        return listed[name] if name in listed else self._settings_page()[f"setting_{name}"]

    def _settings_page(self) -> dict[str, Any]:
        props = [component["props"] for component in self.get("/config")["components"]]
        return {entry["elem_id"]: entry.get("value") for entry in props if entry.get("elem_id")}

    def set_option(self, name: str, value: Any) -> None:
        assert self.post("/sdapi/v1/options", {name: value}).status == 200

    @contextmanager
    def options(self, **values: Any) -> Iterator[None]:
        """Set settings for a while. Settings of one request would stay, if they were never saved."""
        before = {name: self.option(name) for name in values}
        for name, value in values.items():
            self.set_option(name, value)
        try:
            yield
        finally:
            for name, value in before.items():
                self.set_option(name, value)

    def _generate(self, kind: str, style: Any, fields: dict[str, Any]) -> Answer:
        body = {**SMALL, **fields}
        self._save(body.get("override_settings", {}))
        if body.get("enable_hr"):
            body = {name: of(body) for name, of in HIRES_FIELDS.items() if name in self.fields} | body
        if style is not None:
            arguments = style if isinstance(style, list) else [style]
            others = fields.get("alwayson_scripts", {})
            body["alwayson_scripts"] = {**others, "InstantStyle": {"args": arguments}}
        return self.post(f"/sdapi/v1/{kind}", body)

    def _save(self, names: Iterable[str]) -> None:
        """Save settings as they are: what was never saved would stay as the request overrides it."""
        for name in set(names) - self._saved:
            with suppress(KeyError):  # a setting that this WebUI does not have
                self.set_option(name, self.option(name))
        self._saved.update(names)


def encoded(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return encoded_bytes(buffer.getvalue())


def encoded_bytes(content: bytes) -> str:
    return base64.b64encode(content).decode()


def largest_difference(ours: list[bytes], theirs: list[bytes]) -> int:
    """Return by how much pictures differ at most, in grey levels of 255."""
    pairs = zip(b"".join(ours), b"".join(theirs), strict=True)
    return max(abs(one - other) for one, other in pairs)
