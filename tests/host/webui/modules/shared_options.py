"""The host's own settings, as far as the stand-in heeds them."""

import gradio as gr

from modules.flavour import flavour
from modules.options import OptionInfo, options_section

options_templates: dict[str, OptionInfo] = {}


def _checkpoint_args() -> dict:
    from modules import sd_models

    return {"choices": sd_models.checkpoint_tiles()}


def _optimizer_args() -> dict:
    from modules import sd_hijack

    if not flavour.has_optimizers:
        return {"choices": ["Automatic"]}
    return {"choices": ["Automatic", *(o.title() for o in sd_hijack.optimizers), "None"]}


options_templates.update(
    options_section(
        ("sd", "Stable Diffusion", "sd"),
        {
            "sd_model_checkpoint": OptionInfo(
                None, "Stable Diffusion checkpoint", gr.Dropdown, _checkpoint_args, infotext="Model hash"
            ),
            "sd_checkpoints_limit": OptionInfo(
                1,
                "Maximum number of checkpoints loaded at the same time",
                gr.Slider,
                {"minimum": 1, "maximum": 10, "step": 1},
            ),
            "sd_unet": OptionInfo("Automatic", "SD Unet", gr.Dropdown, {"choices": ["Automatic", "None"]}),
            "CLIP_stop_at_last_layers": OptionInfo(
                1, "Clip skip", gr.Slider, {"minimum": 1, "maximum": 12, "step": 1}, infotext="Clip skip"
            ),
            "persistent_cond_cache": OptionInfo(True, "Persistent cond cache"),
            "emphasis": OptionInfo("Original", "Emphasis mode", gr.Radio, {"choices": ["None", "Original"]}),
            "hires_fix_use_firstpass_conds": OptionInfo(False, "Hires fix: use the first pass's conds"),
            "hires_fix_refiner_pass": OptionInfo(
                "second pass",
                "Hires fix: refiner in",
                gr.Radio,
                {"choices": ["first pass", "second pass", "both passes"]},
            ),
            "img2img_fix_steps": OptionInfo(False, "With img2img, do exactly the number of steps given"),
            "initial_noise_multiplier": OptionInfo(
                1.0,
                "Noise multiplier for img2img",
                gr.Slider,
                {"minimum": 0.0, "maximum": 1.5},
                infotext="Noise multiplier",
            ),
            "img2img_extra_noise": OptionInfo(
                0.0,
                "Extra noise for img2img and hires fix",
                gr.Slider,
                {"minimum": 0.0, "maximum": 1.0},
                infotext="Extra noise",
            ),
        },
    )
)

options_templates.update(
    options_section(
        ("optimizations", "Optimizations", "sd"),
        {
            "cross_attention_optimization": OptionInfo(
                "Automatic", "Cross attention optimization", gr.Dropdown, _optimizer_args
            ),
            "s_min_uncond": OptionInfo(
                0.0, "Negative Guidance minimum sigma", gr.Slider, {"minimum": 0.0, "maximum": 15.0}, infotext="NGMS"
            ),
            "s_min_uncond_all": OptionInfo(
                False, "Negative Guidance minimum sigma on every step", infotext="NGMS all steps"
            ),
            "pad_cond_uncond": OptionInfo(False, "Pad prompt/negative prompt", infotext="Pad conds"),
            "pad_cond_uncond_v0": OptionInfo(False, "Pad prompt/negative prompt (v0)", infotext="Pad conds v0"),
            "batch_cond_uncond": OptionInfo(True, "Batch cond/uncond"),
            "skip_early_cond": OptionInfo(
                0.0, "Ignore negative prompt during early sampling", gr.Slider, {"minimum": 0.0, "maximum": 1.0}
            ),
            "upcast_attn": OptionInfo(False, "Upcast cross attention layer to float32"),
        },
    )
)

options_templates.update(
    options_section(
        ("saving-images", "Saving images", "saving"),
        {
            "samples_save": OptionInfo(True, "Always save all generated images"),
            "temp_dir": OptionInfo("", "Directory for temporary images"),
            "samples_format": OptionInfo("png", "File format for images"),
            "enable_pnginfo": OptionInfo(True, "Write infotext to metadata of the generated image"),
            "grid_only_if_multiple": OptionInfo(True, "Do not save grids consisting of one picture"),
            "return_grid": OptionInfo(True, "Show grid in results for web"),
            "send_seed": OptionInfo(True, "Send seed when sending prompt or image to other interface"),
            "send_size": OptionInfo(True, "Send size when sending prompt or image to another interface"),
        },
    )
)

options_templates.update(
    options_section(
        ("extra_networks", "Extra Networks", "sd"),
        {
            "extra_networks_hidden_models": OptionInfo(
                "When searched",
                "Show cards for models in hidden directories",
                gr.Radio,
                {"choices": ["Always", "When searched", "Never"]},
            ),
            "extra_networks_default_multiplier": OptionInfo(
                1.0, "Default multiplier for extra networks", gr.Slider, {"minimum": 0.0, "maximum": 2.0, "step": 0.01}
            ),
            "extra_networks_card_width": OptionInfo(0, "Card width for Extra Networks"),
            "extra_networks_card_height": OptionInfo(0, "Card height for Extra Networks"),
            "extra_networks_card_text_scale": OptionInfo(
                1.0, "Card text scale", gr.Slider, {"minimum": 0.0, "maximum": 2.0, "step": 0.01}
            ),
            "extra_networks_card_show_desc": OptionInfo(True, "Show description on card"),
            "extra_networks_card_description_is_html": OptionInfo(False, "Treat card description as HTML"),
            "extra_networks_add_text_separator": OptionInfo(" ", "Extra networks separator"),
            "ui_extra_networks_tab_reorder": OptionInfo("", "Extra networks tab order"),
        },
    )
)

options_templates.update(
    options_section(
        ("API", "API", "system"),
        {
            "api_enable_requests": OptionInfo(
                True, "Allow http:// and https:// URLs as images in API", restrict_api=True
            ),
            "api_forbid_local_requests": OptionInfo(True, "Forbid URLs to local resources", restrict_api=True),
            "api_useragent": OptionInfo("", "User agent for requests", restrict_api=True),
        },
    )
)

options_templates.update(
    options_section(
        (None, "Hidden options"),
        {
            "disabled_extensions": OptionInfo([], "Disable these extensions"),
            "disable_all_extensions": OptionInfo(
                "none", "Disable all extensions", gr.Radio, {"choices": ["none", "extra", "all"]}
            ),
            "show_progressbar": OptionInfo(True, "Show progressbar"),
            "live_previews_enable": OptionInfo(False, "Show live previews"),
            "sd_checkpoint_hash": OptionInfo("", "SHA256 hash of the current checkpoint"),
        },
    )
)

own_options = tuple(options_templates)
