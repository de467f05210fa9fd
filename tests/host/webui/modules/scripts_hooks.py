"""Calling the scripts' hooks, each with the arguments that belong to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modules import errors
from modules.scripts_base import OnComponent, Script


def guarded(function: Callable[..., Any], what: str, *args: Any, default: Any = None, **kwargs: Any) -> Any:
    """Call ``function``; an exception is reported and ``default`` returned."""
    try:
        return function(*args, **kwargs)
    except Exception:  # noqa: BLE001  the contract: a script must not stop the host
        errors.report(f"Error running {what}", exc_info=True)
        return default


class HookCaller:
    """The hooks of a `ScriptRunner`, in the order in which the scripts were loaded."""

    scripts: list[Script]
    selectable_scripts: list[Script]
    alwayson_scripts: list[Script]
    on_before_component_elem_id: dict[str, list]
    on_after_component_elem_id: dict[str, list]

    def run(self, p: Any, *args: Any) -> Any:
        """Run the selectable script that the first argument names by index."""
        if not args[0]:
            return None
        script = self.selectable_scripts[args[0] - 1]
        return script.run(p, *args[script.args_from : script.args_to])

    def ordered_scripts(self, method_name: str) -> list[Script]:
        scripts = self.scripts if method_name.endswith("_component") else self.alwayson_scripts
        return [s for s in scripts if getattr(type(s), method_name) is not getattr(Script, method_name)]

    def _call_hook(self, hook: str, p: Any, *extra: Any, **kwargs: Any) -> None:
        for script in self.ordered_scripts(hook):
            args = p.script_args[script.args_from : script.args_to]
            guarded(getattr(script, hook), f"{hook}: {script.filename}", p, *extra, *args, **kwargs)

    def setup_scrips(self, p: Any, *, is_ui: bool = True) -> None:
        for script in self.ordered_scripts("setup"):
            if is_ui or not script.setup_for_ui_only:
                args = p.script_args[script.args_from : script.args_to]
                guarded(script.setup, f"setup: {script.filename}", p, *args)

    def before_process(self, p: Any) -> None:
        self._call_hook("before_process", p)

    def process(self, p: Any) -> None:
        self._call_hook("process", p)

    def before_process_batch(self, p: Any, **kwargs: Any) -> None:
        self._call_hook("before_process_batch", p, **kwargs)

    def after_extra_networks_activate(self, p: Any, **kwargs: Any) -> None:
        self._call_hook("after_extra_networks_activate", p, **kwargs)

    def process_batch(self, p: Any, **kwargs: Any) -> None:
        self._call_hook("process_batch", p, **kwargs)

    def process_before_every_sampling(self, p: Any, **kwargs: Any) -> None:
        self._call_hook("process_before_every_sampling", p, **kwargs)

    def before_hr(self, p: Any) -> None:
        self._call_hook("before_hr", p)

    def on_mask_blend(self, p: Any, mba: Any) -> None:
        self._call_hook("on_mask_blend", p, mba)

    def post_sample(self, p: Any, ps: Any) -> None:
        self._call_hook("post_sample", p, ps)

    def postprocess_batch(self, p: Any, images: Any, **kwargs: Any) -> None:
        self._call_hook("postprocess_batch", p, images=images, **kwargs)

    def postprocess_batch_list(self, p: Any, pp: Any, **kwargs: Any) -> None:
        self._call_hook("postprocess_batch_list", p, pp, **kwargs)

    def postprocess_image(self, p: Any, pp: Any) -> None:
        self._call_hook("postprocess_image", p, pp)

    def postprocess_maskoverlay(self, p: Any, ppmo: Any) -> None:
        self._call_hook("postprocess_maskoverlay", p, ppmo)

    def postprocess_image_after_composite(self, p: Any, pp: Any) -> None:
        self._call_hook("postprocess_image_after_composite", p, pp)

    def postprocess(self, p: Any, processed: Any) -> None:
        self._call_hook("postprocess", p, processed)

    def before_component(self, component: Any, **kwargs: Any) -> None:
        self._call_component("before_component", self.on_before_component_elem_id, component, kwargs)

    def after_component(self, component: Any, **kwargs: Any) -> None:
        self._call_component("after_component", self.on_after_component_elem_id, component, kwargs)

    def _call_component(self, hook: str, by_elem_id: dict[str, list], component: Any, kwargs: dict) -> None:
        for callback, script in by_elem_id.get(kwargs.get("elem_id"), []):
            guarded(callback, f"on_{hook}: {script.filename}", OnComponent(component))
        for script in self.ordered_scripts(hook):
            guarded(getattr(script, hook), f"{hook}: {script.filename}", component, **kwargs)
