"""The WebUI's page without a browser: Generate is pressed with the values that stand on the page."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

from tests.live.client import TIMEOUT, WebUI, encoded_bytes

_FILE = {"_type": "gradio.FileData"}


class Page:
    """One tab's Generate button and its inputs, as gradio describes them."""

    def __init__(self, webui: WebUI, config: dict[str, Any], tab: str) -> None:
        self._webui = webui
        self.is_gradio_4 = config["version"].startswith("4.")
        self._components = {component["id"]: component["props"] for component in config["components"]}
        self._texts = {component["id"] for component in config["components"] if component["type"] == "textbox"}
        ids = {props.get("elem_id"): number for number, props in self._components.items()}
        button, ours = ids[f"{tab}_generate"], ids[f"script_{tab}_instantstyle_image"]
        self._number, self._inputs = next(
            (number, event["inputs"])
            for number, event in enumerate(config["dependencies"])
            if ours in event["inputs"]
            and (
                ([button, "click"] in event["targets"]) or (button in event["targets"] and event["trigger"] == "click")
            )
        )

    def picture(self, content: bytes) -> Any:
        """Return the value of a picture box that was given a file with ``content``."""
        return self._uploaded(content) if self.is_gradio_4 else f"data:image/png;base64,{encoded_bytes(content)}"

    def gallery(self, *entries: tuple[str, str | None]) -> list[Any]:
        """Return the value of a gallery that names files, each with its caption."""
        if self.is_gradio_4:
            return [{"image": {"path": path, "meta": _FILE}, "caption": caption} for path, caption in entries]
        files = [({"name": path, "data": None, "is_file": True}, caption) for path, caption in entries]
        return [file if caption is None else [file, caption] for file, caption in files]

    def generate(self, leading: list[Any], **values: Any) -> tuple[list[bytes], list[str]]:
        """Press Generate; return the files of the pictures and their infotexts.

        Args:
            leading: Values of the first inputs, which the page's own script fills.
            values: Others than stand on the page, by ``elem_id``.
        """
        data = [self._value(number, values) for number in self._inputs]
        data[: len(leading)] = leading
        body = {"fn_index": self._number, "data": data, "session_hash": uuid.uuid4().hex}
        gallery, info, *_, log = self._queued(body) if self.is_gradio_4 else self._answered(body)
        assert gallery, log
        paths = [entry["image"]["path"] if self.is_gradio_4 else entry["name"].partition("?")[0] for entry in gallery]
        return [self._webui.file(path) for path in paths], json.loads(info)["infotexts"]

    def _answered(self, body: dict[str, Any]) -> list[Any]:
        answer = self._webui.post("/run/predict", body)
        assert answer.status == 200, answer.body
        return answer.body["data"]

    def _queued(self, body: dict[str, Any]) -> list[Any]:
        answer = self._webui.post("/queue/join", body)
        assert answer.status == 200, answer.body
        address = f"{self._webui.url}/queue/data?session_hash={quote(body['session_hash'])}"
        with urlopen(address, timeout=TIMEOUT) as lines:
            for line in lines:
                message = json.loads(line[len("data:") :]) if line.startswith(b"data:") else {}
                if message.get("msg") == "process_completed":
                    assert message["success"], message["output"]
                    return message["output"]["data"]
        raise AssertionError("the queue ended without an answer")

    def _uploaded(self, content: bytes) -> dict[str, Any]:
        edge = uuid.uuid4().hex
        head = f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="image.png"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{edge}--\r\n".encode()
        request = Request(f"{self._webui.url}/upload", body, {"Content-Type": f"multipart/form-data; boundary={edge}"})
        with urlopen(request, timeout=TIMEOUT) as answer:
            (path,) = json.load(answer)
        return {"path": path, "orig_name": "image.png", "meta": _FILE}

    def _value(self, number: int, values: dict[str, Any]) -> Any:
        props = self._components[number]
        value = values.get(props.get("elem_id", ""), props.get("value"))
        if value is None:
            return [] if props.get("multiselect") else "" if number in self._texts else None
        return value
