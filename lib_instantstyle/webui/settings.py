"""The extension's section of the WebUI's settings."""

from __future__ import annotations

from lib_instantstyle import NAME
from lib_instantstyle.catalogue import catalogue
from lib_instantstyle.store import DEFAULT_LIMIT
from lib_instantstyle.webui.guest import DEFAULT_MINUTES

ON_ERROR_STOP = "Stop with the error"
ON_ERROR_WARN = "Warn and continue unstyled"


def register() -> None:
    """Add our section; called by the host when it builds the settings page."""
    import gradio as gr
    from modules import shared

    options = {
        "instantstyle_on_error": shared.OptionInfo(
            ON_ERROR_STOP,
            "When InstantStyle cannot act",
            gr.Radio,
            {"choices": [ON_ERROR_STOP, ON_ERROR_WARN]},
        ).info("long batches may prefer a warning below the picture"),
        "instantstyle_encode_on_cpu": shared.OptionInfo(False, "Run the image encoder on the CPU").info(
            "slower for each new reference; needs no GPU memory"
        ),
        "instantstyle_encoder_minutes": shared.OptionInfo(
            DEFAULT_MINUTES,
            "Keep the image encoder in memory, minutes",
            gr.Slider,
            {"minimum": 0, "maximum": 60, "step": 1},
        ).info("off the GPU, so that the next new reference need not read it from disk again; 0 frees it at once"),
        "instantstyle_model_folders": shared.OptionInfo(
            "",
            "Further folders with adapters and image encoders, one a line",
            gr.Textbox,
            {"lines": 2, "placeholder": "/path/to/ComfyUI/models"},
            restrict_api=True,
        ).info("searched with their subfolders, before the WebUI's own"),
        "instantstyle_mirror": shared.OptionInfo(
            "",
            "Mirror from which models are fetched",
            gr.Textbox,
            {"placeholder": catalogue().base},
            restrict_api=True,
        ).info("an address below which h94/IP-Adapter lies; hashes are checked all the same"),
        "instantstyle_cache_megabytes": shared.OptionInfo(
            DEFAULT_LIMIT >> 20,
            "Embedding cache on disk, megabytes",
            gr.Slider,
            {"minimum": 0, "maximum": 4096, "step": 64},
        ).info("a reference seen before needs neither the picture nor the encoder; 0 keeps nothing"),
        "instantstyle_style_inner_passes": shared.OptionInfo(False, "Style the inner passes of ADetailer too"),
    }
    for key, option in options.items():
        option.section = ("instantstyle", NAME)
        shared.opts.add_option(key, option)
