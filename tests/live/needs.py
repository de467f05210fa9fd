"""Skips a test where the WebUI lacks what it is about, by what that WebUI itself reports."""

from __future__ import annotations

import urllib.error
from typing import Any

import pytest

from tests.live.client import WebUI


def need(there: bool, what: str) -> None:
    """Skip unless the WebUI has ``what``."""
    if not there:
        pytest.skip(f"this WebUI has no {what}")


def script(webui: WebUI, title: str, tab: str = "txt2img") -> None:
    need(title.lower() in webui.get("/sdapi/v1/scripts")[tab], f"script {title!r}")


def option(webui: WebUI, name: str) -> None:
    try:
        webui.option(name)
    except KeyError:
        need(False, f"setting {name!r}")


def checkpoint(webui: WebUI, name: str) -> None:
    names = [entry["model_name"] for entry in webui.get("/sdapi/v1/sd-models")]
    need(name in names, f"checkpoint {name!r} (`python -m tests.tiny`)")


def network(webui: WebUI, route: str, name: str) -> None:
    """``route`` is one that lists networks: ``loras``, ``hypernetworks`` or ``embeddings``."""
    listed = answered(webui, f"/sdapi/v1/{route}", route)
    names = listed["loaded"] if route == "embeddings" else [entry["name"] for entry in listed]
    need(name in names, f"{name!r} among its {route} (`python -m tests.tiny`)")


def true_plot(webui: WebUI) -> None:
    """Skip where a plain cell of the X/Y/Z plot is not the picture that the same job makes alone."""
    cells = webui.plot({"enabled": False}, ("Seed", "1, 2")).pictures[-2:]
    need(cells == [webui.txt2img(seed=seed).pictures[0] for seed in (1, 2)], "plot whose cells are what they are alone")


def script_arguments(webui: WebUI, title: str, tab: str, **chosen: Any) -> list[Any]:
    """Return the values of a script: those ``chosen`` by their labels, the others as they are offered.

    WebUIs write the labels with capitals or without, and have more or fewer of them.
    """
    script(webui, title, tab)
    offered = next(
        entry["args"]
        for entry in webui.get("/sdapi/v1/script-info")
        if entry["name"] == title.lower() and entry["is_img2img"] == (tab == "img2img")
    )
    labels = [str(argument["label"] or "").lower().replace(" ", "_") for argument in offered]
    assert set(chosen) <= set(labels), labels
    return [chosen.get(label, argument["value"]) for label, argument in zip(labels, offered, strict=True)]


def schedulers(webui: WebUI) -> list[str]:
    """Return the names of the noise schedules; skip where they are none of a request's."""
    return [entry["label"] for entry in answered(webui, "/sdapi/v1/schedulers", "choice of schedules")]


def page(webui: WebUI) -> dict[str, Any]:
    """Return what gradio tells of the page."""
    config: dict[str, Any] = answered(webui, "/config", "page")
    need(config["version"].startswith("3."), "page of gradio 3, whose events `tests.live.page` speaks")
    return config


def answered(webui: WebUI, path: str, what: str) -> Any:
    """Return the answer of a route that only some WebUIs have; it is none of ours."""
    try:
        return webui.get(path)
    except urllib.error.HTTPError as error:
        need(False, f"{what} ({path} answers {error.code})")
