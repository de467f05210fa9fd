"""Bodies of requests and answers."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field, create_model

from modules.flavour import flavour


class _GenerationRequest(BaseModel):
    """What txt2img and img2img share. Unknown fields are ignored, as in the host."""

    prompt: str = ""
    negative_prompt: str = ""
    styles: list[str] | None = None
    seed: int = -1
    subseed: int = -1
    subseed_strength: float = 0
    sampler_name: str | None = None
    sampler_index: str = "Euler"
    scheduler: str | None = None
    batch_size: int = 1
    n_iter: int = 1
    steps: int = 50
    cfg_scale: float = 7.0
    width: int = 512
    height: int = 512
    do_not_save_samples: bool = False
    do_not_save_grid: bool = False
    s_min_uncond: float | None = None
    override_settings: dict[str, Any] | None = None
    override_settings_restore_afterwards: bool = True
    refiner_checkpoint: str | None = None
    refiner_switch_at: float | None = None
    disable_extra_networks: bool = False
    comments: dict[str, Any] | None = None
    force_task_id: str | None = None
    infotext: str | None = None
    script_name: str | None = None
    script_args: list = Field(default_factory=list)
    send_images: bool = True
    save_images: bool = False
    alwayson_scripts: dict = Field(default_factory=dict)


class _Txt2ImgRequest(_GenerationRequest):
    enable_hr: bool = False
    denoising_strength: float = 0.75
    hr_scale: float = 2.0
    hr_upscaler: str | None = None
    hr_second_pass_steps: int = 0
    hr_resize_x: int = 0
    hr_resize_y: int = 0
    hr_checkpoint_name: str | None = None
    hr_sampler_name: str | None = None
    hr_scheduler: str | None = None
    hr_prompt: str = ""
    hr_negative_prompt: str = ""


# Fields of single hosts: an answer repeats the request, by which programs can tell.
_FIELDS = {
    **({} if flavour.hires_cfg is None else {"hr_cfg": (float, flavour.hires_cfg)}),
    **({"hr_additional_modules": (list | None, None)} if flavour.needs_hires_modules else {}),
}
StableDiffusionTxt2ImgProcessingAPI = create_model(
    "StableDiffusionTxt2ImgProcessingAPI", __base__=_Txt2ImgRequest, **_FIELDS
)


class StableDiffusionImg2ImgProcessingAPI(_GenerationRequest):
    init_images: list | None = None
    resize_mode: int = 0
    denoising_strength: float = 0.75
    image_cfg_scale: float | None = None
    mask: str | None = None
    mask_blur_x: int = 4
    mask_blur_y: int = 4
    mask_blur: int | None = None
    mask_round: bool = True
    inpainting_fill: int = 0
    inpaint_full_res: bool = True
    inpaint_full_res_padding: int = 0
    inpainting_mask_invert: int = 0
    initial_noise_multiplier: float | None = None
    include_init_images: bool = False


class GenerationResponse(BaseModel):
    images: list[str] | None
    parameters: dict
    info: str


class PNGInfoRequest(BaseModel):
    image: str


class PNGInfoResponse(BaseModel):
    info: str
    items: dict
    parameters: dict


class InterrogateRequest(BaseModel):
    image: str = ""
    model: str = "clip"


class InterrogateResponse(BaseModel):
    caption: str | None


class ScriptArg(BaseModel):
    label: str | None = None
    value: Any = None
    minimum: Any = None
    maximum: Any = None
    step: Any = None
    choices: list | None = None


class ScriptInfo(BaseModel):
    name: str | None = None
    is_alwayson: bool | None = None
    is_img2img: bool | None = None
    args: list[ScriptArg] = Field(default_factory=list)


def describe_script(script: Any) -> ScriptInfo:
    """Return what the API tells of a script's arguments."""
    args = []
    for control in script.controls:
        arg = ScriptArg(label=control.label or "")
        for name in ("value", "minimum", "maximum", "step"):
            value = getattr(control, name, None)
            if value is not None:
                setattr(arg, name, value)
        choices = getattr(control, "choices", None)
        if choices is not None:
            arg.choices = [choice[0] if isinstance(choice, tuple) else choice for choice in choices]
        args.append(arg)
    return ScriptInfo(name=script.name, is_img2img=script.is_img2img, is_alwayson=script.alwayson, args=args)
