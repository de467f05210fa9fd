"""The WebUI's page without a browser: Generate is pressed with the values that stand on the page."""

from __future__ import annotations

import json
from typing import Any

from tests.live.client import WebUI


class Page:
    """One tab's Generate button and its inputs, as gradio describes them."""

    def __init__(self, webui: WebUI, config: dict[str, Any], tab: str) -> None:
        self._webui = webui
        self._components = {component["id"]: component["props"] for component in config["components"]}
        ids = {props.get("elem_id"): number for number, props in self._components.items()}
        button, ours = ids[f"{tab}_generate"], ids[f"script_{tab}_instantstyle_image"]
        self._number, self._inputs = next(
            (number, event["inputs"])
            for number, event in enumerate(config["dependencies"])
            if ours in event["inputs"] and button in event["targets"] and event["trigger"] == "click"
        )

    def generate(self, leading: list[Any], **values: Any) -> tuple[list[bytes], list[str]]:
        """Press Generate; return the files of the pictures and their infotexts.

        Args:
            leading: Values of the first inputs, which the page's own script fills.
            values: Others than stand on the page, by ``elem_id``.
        """
        data = [self._value(number, values) for number in self._inputs]
        data[: len(leading)] = leading
        body = {"fn_index": self._number, "data": data, "session_hash": "test"}
        answer = self._webui.post("/run/predict", body)
        assert answer.status == 200, answer.body
        gallery, info, *_, log = answer.body["data"]
        assert gallery, log
        return [self._webui.file(entry["name"].partition("?")[0]) for entry in gallery], json.loads(info)["infotexts"]

    def _value(self, number: int, values: dict[str, Any]) -> Any:
        props = self._components[number]
        value = values.get(props.get("elem_id", ""), props.get("value"))
        return [] if value is None and props.get("multiselect") else value
