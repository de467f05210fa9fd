"""Buttons that read parameters, or send a picture and fields to another tab. Public as parts of `infotext_utils`."""

from __future__ import annotations

import base64
import io
from typing import Any

import gradio as gr
from PIL import Image

from modules import images, shared, ui_tempdir

registered_param_bindings: list[ParamBinding] = []


class ParamBinding:
    """What a button takes, and the tab it fills."""

    def __init__(
        self,
        paste_button: Any,
        tabname: str,
        source_text_component: Any = None,
        source_image_component: Any = None,
        source_tabname: str | None = None,
        override_settings_component: Any = None,
        paste_field_names: list[str] | None = None,
    ) -> None:
        self.paste_button = paste_button
        self.tabname = tabname
        self.source_text_component = source_text_component
        self.source_image_component = source_image_component
        self.source_tabname = source_tabname
        self.override_settings_component = override_settings_component
        self.paste_field_names = paste_field_names or []


def register_paste_params_button(binding: ParamBinding) -> None:
    registered_param_bindings.append(binding)


def image_from_url_text(filedata: Any) -> Image.Image | None:
    """Open what the page says of a picture: a file of its own, a list that begins with one, or base64.

    Raises:
        AssertionError: If it names a file that the page did not make.
    """
    if isinstance(filedata, list):
        filedata = filedata[0] if filedata else None
    if filedata is None:
        return None
    if isinstance(filedata, dict) and filedata.get("is_file", False):
        filename = filedata["name"]
        if not ui_tempdir.check_tmp_file(shared.demo, filename):
            raise AssertionError("trying to open image file outside of allowed directories")
        return images.read(filename.rsplit("?", 1)[0])
    return images.read(io.BytesIO(base64.decodebytes(filedata.removeprefix("data:image/png;base64,").encode())))


def send_image_and_dimensions(x: Any) -> tuple[Any, Any, Any]:
    """Return picture, width and height; without the setting the size stays."""
    image = x if isinstance(x, Image.Image) else image_from_url_text(x)
    if shared.opts.send_size and isinstance(image, Image.Image):
        return image, image.width, image.height
    return image, gr.update(), gr.update()


def connect_paste_params_buttons() -> None:
    """Connect all buttons, once every tab has its fields. Their four effects start in this order."""
    from modules.infotext_utils import connect_paste, paste_fields

    for binding in registered_param_bindings:
        target = paste_fields[binding.tabname]
        if binding.source_image_component and target["init_img"]:
            _connect_picture(binding, target)
        if binding.source_text_component is not None and target["fields"] is not None:
            overrides = binding.override_settings_component or target["override_settings_component"]
            connect_paste(
                binding.paste_button, target["fields"], binding.source_text_component, overrides, binding.tabname
            )
        if binding.source_tabname is not None and target["fields"] is not None:
            _connect_fields(binding, paste_fields[binding.source_tabname]["fields"], target["fields"])
        binding.paste_button.click(fn=None, _js=f"switch_to_{binding.tabname}", show_progress=False)


def _connect_picture(binding: ParamBinding, target: dict[str, Any]) -> None:
    by_name = {name: component for component, name in reversed(target["fields"]) if isinstance(name, str)}
    size = [by_name.get("Size-1"), by_name.get("Size-2")] if binding.tabname != "inpaint" else [None]
    is_gallery = isinstance(binding.source_image_component, gr.Gallery)
    plain = image_from_url_text if is_gallery else lambda x: x
    binding.paste_button.click(
        fn=send_image_and_dimensions if size[0] else plain,
        _js="extract_image_from_gallery" if is_gallery else None,
        inputs=[binding.source_image_component],
        outputs=[target["init_img"], *(size if size[0] else [])],
        show_progress=False,
    )


def _connect_fields(binding: ParamBinding, sources: list, targets: list) -> None:
    """Hand values on in the order of the fields: each leaves through one component and enters through another."""
    seed = ["Seed"] if shared.opts.send_seed else []
    names = ["Prompt", "Negative prompt", "Steps", "Face restoration", *seed, *binding.paste_field_names]
    binding.paste_button.click(
        fn=lambda *x: x,
        inputs=[component for component, name in sources if name in names],
        outputs=[component for component, name in targets if name in names],
        show_progress=False,
    )
