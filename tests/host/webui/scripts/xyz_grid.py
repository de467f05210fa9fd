"""X/Y/Z plot: one picture for every combination of values, in a grid."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from itertools import product
from typing import Any

import gradio as gr
import modules.scripts as scripts
from modules import errors, images, processing, sd_models, sd_samplers, shared
from modules.flavour import flavour
from modules.processing import Processed, process_images
from modules.xyz_values import list_to_csv_string, process_axis
from PIL import Image


def format_value_add_label(p: Any, opt: Any, x: Any) -> str:
    x = round(x, 8) if isinstance(x, float) else x
    return f"{opt.label}: {x}"


def format_value(p: Any, opt: Any, x: Any) -> Any:
    return round(x, 8) if isinstance(x, float) else x


def format_nothing(p: Any, opt: Any, x: Any) -> str:
    return ""


def apply_field(field: str) -> Callable[[Any, Any, Any], None]:
    def fun(p: Any, x: Any, xs: Any) -> None:
        setattr(p, field, x)

    return fun


def apply_nothing(p: Any, x: Any, xs: Any) -> None:
    """The axis that does nothing."""


def apply_prompt(p: Any, x: Any, xs: Any) -> None:
    if xs[0] not in p.prompt and xs[0] not in p.negative_prompt:
        raise RuntimeError(f"Prompt S/R did not find {xs[0]} in prompt or negative prompt.")
    p.prompt = p.prompt.replace(xs[0], x)
    p.negative_prompt = p.negative_prompt.replace(xs[0], x)


def apply_checkpoint(p: Any, x: Any, xs: Any) -> None:
    info = sd_models.get_closet_checkpoint_match(x)
    if info is None:
        raise RuntimeError(f"Unknown checkpoint: {x}")
    p.override_settings = {**p.override_settings, "sd_model_checkpoint": info.name}


def confirm_checkpoints(p: Any, xs: Any) -> None:
    for x in xs:
        if sd_models.get_closet_checkpoint_match(x) is None:
            raise RuntimeError(f"Unknown checkpoint: {x}")


class AxisOption:
    """One thing that an axis can vary."""

    def __init__(
        self,
        label,
        type,
        apply,
        format_value=format_value_add_label,
        confirm=None,
        cost=0.0,
        choices=None,
        prepare=None,
    ) -> None:
        self.label, self.type, self.apply, self.format_value = label, type, apply, format_value
        self.confirm, self.cost, self.prepare, self.choices = confirm, cost, prepare, choices


class AxisOptionImg2Img(AxisOption):
    is_img2img = True


class AxisOptionTxt2Img(AxisOption):
    is_img2img = False


axis_options = [
    AxisOption("Nothing", str, apply_nothing, format_value=format_nothing),
    AxisOption("Seed", int, apply_field("seed")),
    AxisOption("Steps", int, apply_field("steps")),
    AxisOptionTxt2Img("Hires steps", int, apply_field("hr_second_pass_steps")),
    AxisOption("CFG Scale", float, apply_field("cfg_scale")),
    AxisOption("Prompt S/R", str, apply_prompt, format_value=format_value),
    AxisOption("Sampler", str, apply_field("sampler_name"), choices=sd_samplers.visible_sampler_names),
    AxisOption(
        "Checkpoint name", str, apply_checkpoint, confirm=confirm_checkpoints, cost=1.0,
        choices=lambda: sorted(sd_models.checkpoints_list, key=str.casefold),
    ),
    AxisOptionImg2Img("Denoising", float, apply_field("denoising_strength")),
]  # fmt: skip


_EXTRAS = (
    (gr.Checkbox, "Draw individual labels", False),
    (gr.Checkbox, "Skip final grid generation", False),
    (gr.Slider, "Items per grid (0 = default), for sequential grid generation.", 0),
)


class Script(scripts.Script):
    def title(self):
        return "X/Y/Z plot"

    def ui(self, is_img2img):
        self.current_axis_options = [o for o in axis_options if type(o) is AxisOption or o.is_img2img == is_img2img]
        labels = [option.label for option in self.current_axis_options]
        axes = []
        for axis in "XYZ":
            with gr.Row():
                kind = gr.Dropdown(
                    label=f"{axis} type", choices=labels, value=labels[0], type="index",
                    elem_id=self.elem_id(f"{axis.lower()}_type"),
                )  # fmt: skip
                values = gr.Textbox(label=f"{axis} values", lines=1, elem_id=self.elem_id(f"{axis.lower()}_values"))
                chosen = gr.Dropdown(
                    label=f"{axis} values", visible=False, multiselect=True, interactive=True,
                    elem_id=self.elem_id(f"{axis.lower()}_values_dropdown"),
                )  # fmt: skip
            axes += [kind, values, chosen]
        with gr.Row():
            draw_legend = gr.Checkbox(label="Draw legend", value=True, elem_id=self.elem_id("draw_legend"))
            no_fixed_seeds = gr.Checkbox(label="Keep -1 for seeds", value=False)
            vary = [gr.Checkbox(label=f"Vary seeds for {axis}", value=False) for axis in "XYZ"]
            extras = [kind(label=label, value=value) for kind, label, value in _EXTRAS[: flavour.plot_extras]]
            lone = gr.Checkbox(label="Include Sub Images", value=False)
            sub = gr.Checkbox(label="Include Sub Grids", value=False)
            csv_mode = gr.Checkbox(label="Use text inputs instead of dropdowns", value=False)
            margin = gr.Slider(label="Grid margins (px)", minimum=0, maximum=500, value=0, step=2)
        for kind, values, chosen in zip(axes[::3], axes[1::3], axes[2::3], strict=True):
            shown = {"inputs": [kind, csv_mode], "outputs": [values, chosen], "show_progress": False}
            kind.change(self._shown, **shown)
            csv_mode.change(self._shown, **shown)
        return [*axes, draw_legend, *extras, lone, sub, no_fixed_seeds, *vary, margin, csv_mode]

    def _shown(self, index, csv_mode):
        """Show the field for the values of an axis: a list where it has choices, or else text."""
        choices = self.current_axis_options[index or 0].choices
        is_list = choices is not None and not csv_mode
        return [gr.update(visible=not is_list), gr.update(visible=is_list, choices=choices() if is_list else [])]

    def run(self, p, *args):
        """Run every cell; one that fails stays blank."""
        include_cells, _, keep_random = args[10 + flavour.plot_extras :][:3]
        csv_mode = args[17 + flavour.plot_extras]
        if not keep_random:
            processing.fix_seed(p)
        (x_opt, xs), (y_opt, ys), (z_opt, zs) = [self._axis(p, *args[i : i + 3], csv_mode) for i in (0, 3, 6)]
        shared.state.job_count = len(xs) * len(ys) * len(zs) * p.n_iter
        cells = [self._cell(p, ((x_opt, x, xs), (y_opt, y, ys), (z_opt, z, zs))) for z, y, x in product(zs, ys, xs)]
        return self._assemble(p, cells, len(zs) * len(ys), include_cells)

    def _axis(self, p, index, text, chosen, csv_mode):
        option = self.current_axis_options[index or 0]
        if option.choices is not None and not csv_mode:
            text = list_to_csv_string(chosen)  # for the infotext; raises for what is no list
        return option, process_axis(p, option, text, chosen, csv_mode)

    def _cell(self, p, settings):
        if shared.state.interrupted or shared.state.stopping_generation:
            return None
        cell = copy(p)
        cell.styles = cell.styles[:]
        for option, value, values in settings:
            option.apply(cell, value, values)
        try:
            return process_images(cell)
        except Exception:  # noqa: BLE001  the contract: the grid continues
            errors.report("Exception running a cell of the X/Y/Z plot", exc_info=True)
            return None

    @staticmethod
    def _assemble(p, cells, rows, include_cells):
        if not cells:
            return Processed(p, [])
        done = [cell for cell in cells if cell is not None and cell.images]
        blank = (
            Image.new(done[0].images[0].mode, done[0].images[0].size) if done else Image.new("P", (p.width, p.height))
        )
        pictures = [cell.images[0] if cell in done else blank for cell in cells]
        grid = images.image_grid(pictures, rows=rows)
        result = copy(done[0]) if done else Processed(p, [])
        infotexts = [cell.infotexts[0] if cell in done else "" for cell in cells]
        result.images = [grid, *pictures] if include_cells else [grid]
        result.infotexts = [infotexts[0], *infotexts] if include_cells else infotexts[:1]
        result.all_prompts = [cell.prompt if cell in done else "" for cell in cells]
        result.all_seeds = [cell.seed if cell in done else -1 for cell in cells]
        return result
