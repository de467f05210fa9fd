"""The class that extensions subclass, and what is handed to its hooks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

AlwaysVisible = object()


@dataclass
class MaskBlendArgs:
    current_latent: Any
    nmask: Any
    init_latent: Any
    mask: Any
    blended_latent: Any
    denoiser: Any = None
    sigma: Any = None

    @property
    def is_final_blend(self) -> bool:
        return self.denoiser is None


@dataclass
class PostSampleArgs:
    samples: Any


@dataclass
class PostprocessImageArgs:
    image: Any


@dataclass
class PostProcessMaskOverlayArgs:
    index: int
    mask_for_overlay: Any
    overlay_image: Any


@dataclass
class PostprocessBatchListArgs:
    images: list


@dataclass
class OnComponent:
    component: Any


class Script:
    """Base of all scripts. A hook runs only if the subclass overrides it."""

    name: str | None = None
    section: str | None = None
    filename: str | None = None
    args_from: int | None = None
    args_to: int | None = None
    alwayson = False
    is_txt2img = False
    is_img2img = False
    tabname: str | None = None
    group: Any = None
    create_group = True
    infotext_fields: Any = None
    paste_field_names: Any = None
    api_info: Any = None
    on_before_component_elem_id: Any = None
    on_after_component_elem_id: Any = None
    setup_for_ui_only = False
    controls: Any = None

    def title(self) -> str:
        raise NotImplementedError

    def ui(self, is_img2img: bool) -> Any: ...

    def show(self, is_img2img: bool) -> Any:
        return True

    def run(self, p: Any, *args: Any) -> Any: ...

    def setup(self, p: Any, *args: Any) -> None: ...

    def before_process(self, p: Any, *args: Any) -> None: ...

    def process(self, p: Any, *args: Any) -> None: ...

    def before_process_batch(self, p: Any, *args: Any, **kwargs: Any) -> None: ...

    def after_extra_networks_activate(self, p: Any, *args: Any, **kwargs: Any) -> None: ...

    def process_batch(self, p: Any, *args: Any, **kwargs: Any) -> None: ...

    def process_before_every_sampling(self, p: Any, *args: Any, **kwargs: Any) -> None: ...

    def before_hr(self, p: Any, *args: Any) -> None: ...

    def on_mask_blend(self, p: Any, mba: MaskBlendArgs, *args: Any) -> None: ...

    def post_sample(self, p: Any, ps: PostSampleArgs, *args: Any) -> None: ...

    def postprocess_batch(self, p: Any, *args: Any, **kwargs: Any) -> None: ...

    def postprocess_batch_list(self, p: Any, pp: PostprocessBatchListArgs, *args: Any, **kwargs: Any) -> None: ...

    def postprocess_image(self, p: Any, pp: PostprocessImageArgs, *args: Any) -> None: ...

    def postprocess_maskoverlay(self, p: Any, ppmo: PostProcessMaskOverlayArgs, *args: Any) -> None: ...

    def postprocess_image_after_composite(self, p: Any, pp: PostprocessImageArgs, *args: Any) -> None: ...

    def postprocess(self, p: Any, processed: Any, *args: Any) -> None: ...

    def before_component(self, component: Any, **kwargs: Any) -> None: ...

    def after_component(self, component: Any, **kwargs: Any) -> None: ...

    def on_before_component(self, callback: Any, *, elem_id: str) -> None:
        """Call ``callback(OnComponent)`` before the component ``elem_id`` is made."""
        self.on_before_component_elem_id = [*(self.on_before_component_elem_id or []), (elem_id, callback)]

    def on_after_component(self, callback: Any, *, elem_id: str) -> None:
        """Call ``callback(OnComponent)`` after the component ``elem_id`` was made."""
        self.on_after_component_elem_id = [*(self.on_after_component_elem_id or []), (elem_id, callback)]

    def describe(self) -> str:
        return ""

    def elem_id(self, item_id: str) -> str:
        """Return an element id, with the tab in it if the script shows alike in both tabs."""
        both = self.show(True) == self.show(False)
        tab = ("img2img_" if self.is_img2img else "txt2img_") if both else ""
        title = re.sub(r"[^a-z_0-9]", "", re.sub(r"\s", "_", self.title().lower()))
        return f"script_{tab}{title}_{item_id}"
