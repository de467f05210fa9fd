"""The demo's page opens with what the miniature is good at: its size, steps and CFG, a prompt and a sample reference.

An extension of its own, by the hook that all WebUIs have, so that the stand-in needs to know nothing of the demo.
"""

from pathlib import Path

from modules import script_callbacks
from PIL import Image

REFERENCE = Path(__file__).parents[1] / "reference.png"
CONTENT = "a circle"
VALUES = {
    "txt2img_prompt": "a star",
    "txt2img_steps": 20,
    "txt2img_width": 128,
    "txt2img_height": 128,
    "txt2img_cfg_scale": 4,
    "script_txt2img_instantstyle_content": CONTENT,
    "script_txt2img_instantstyle_content_strength": 0.75,
}


def open_with(component, **_options):
    """Give a component that was just laid out its value."""
    name = getattr(component, "elem_id", None)
    if name in VALUES:
        component.value = VALUES[name]
    elif name == "script_txt2img_instantstyle_image":
        with Image.open(REFERENCE) as picture:
            shown = component.postprocess(picture.convert("RGB"))
        component.value = shown.model_dump() if hasattr(shown, "model_dump") else shown  # gradio 4 has a class for it


script_callbacks.on_after_component(open_with)
