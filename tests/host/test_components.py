"""What the page is told of our components: on gradio 4 a subclass can lose its id, its label, everything."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lib_instantstyle.params.style_params import controls
from tests.host.inprocess import EXTENSION_ROOT, InProcess, in_process

PICTURES = {"image": "image", "layout_image": "image", "images": "gallery", "masks": "gallery"}


@pytest.fixture(scope="module")
def config(models_dir: Any) -> dict[str, Any]:
    host: InProcess = in_process(models_dir, [EXTENSION_ROOT])
    host.use_extensions(EXTENSION_ROOT)
    return json.loads(json.dumps(host.shared.demo.get_config_file(), default=str))


@pytest.mark.parametrize("tab", ["txt2img", "img2img"])
def test_every_control_has_its_id_and_label(config: dict[str, Any], tab: str) -> None:
    told = {component["props"].get("elem_id"): component for component in config["components"]}
    for name, control in controls().items():
        elem_id = f"script_{tab}_instantstyle_{name}"
        component = told[f"{elem_id}-checkbox" if name == "enabled" else elem_id]
        assert name == "enabled" or component["props"]["label"] == control.label
    for name, kind in PICTURES.items():
        assert told[f"script_{tab}_instantstyle_{name}"]["type"] == kind


def test_a_box_takes_files_from_the_disk_alone(config: dict[str, Any]) -> None:
    """No camera; and what the server draws is shown without loss."""
    (props,) = (c["props"] for c in config["components"] if c["props"].get("elem_id") == "script_txt2img_instantstyle_image")  # fmt: skip
    assert props.get("sources", [props.get("source")]) == ["upload"]
    assert props.get("format", "png") == "png"


def test_no_file_is_written_beside_our_modules() -> None:
    """Gradio 4 would; the classes bear the mark that hosts on it look for."""
    from lib_instantstyle.webui.page import pictures

    kinds = [
        kind for kind in vars(pictures).values() if isinstance(kind, type) and kind.__module__ == pictures.__name__
    ]
    assert len(kinds) == 3
    assert all("webui_do_not_create_gradio_pyi_thank_you" in vars(kind) for kind in kinds)
    assert not list(EXTENSION_ROOT.glob("lib_instantstyle/**/*.pyi"))
