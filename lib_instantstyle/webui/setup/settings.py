"""The extension's section of the WebUI's settings: its options and their current values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib_instantstyle import NAME
from lib_instantstyle.fetch.catalogue import catalogue
from lib_instantstyle.models.embedding_cache import DEFAULT_LIMIT

ON_ERROR_STOP = "Stop with the error"
ON_ERROR_WARN = "Warn and continue unstyled"
_PREFIX = "instantstyle_"


@dataclass(frozen=True)
class Settings:
    """The values of the extension's options."""

    on_error: str = ON_ERROR_STOP  # or ON_ERROR_WARN
    encode_on_cpu: bool = False  # whether the image encoder stays off the device
    encoder_minutes: float = 2.0  # how long it stays in memory after its last use; ViT-bigG takes 3.7 GB
    model_folders: str = ""  # further folders with models, one per line
    mirror: str = ""  # address to fetch models from; empty for the catalogue's own
    cache_megabytes: int = DEFAULT_LIMIT >> 20  # limit of the embedding cache on disk
    records_megabytes: int = 2048  # limit of what is kept of references that self-attentions have read
    style_inner_passes: bool = False  # whether ADetailer's inner passes are styled too


def current_settings() -> Settings:
    """Return the current values; an option that the host does not have yet is at its default."""
    from modules import shared

    names = Settings.__dataclass_fields__
    return Settings(**{name: getattr(shared.opts, f"{_PREFIX}{name}", getattr(Settings, name)) for name in names})


def _encoder_options() -> dict[str, Any]:
    import gradio as gr
    from modules import shared

    return {
        "on_error": shared.OptionInfo(
            Settings.on_error,
            "When InstantStyle cannot act",
            gr.Radio,
            {"choices": [ON_ERROR_STOP, ON_ERROR_WARN]},
        ).info("long batches may prefer a warning below the picture"),
        "encode_on_cpu": shared.OptionInfo(Settings.encode_on_cpu, "Run the image encoder on the CPU").info(
            "slower for each new reference; needs no GPU memory"
        ),
        "encoder_minutes": shared.OptionInfo(
            Settings.encoder_minutes,
            "Keep the image encoder in memory, minutes",
            gr.Slider,
            {"minimum": 0, "maximum": 60, "step": 1},
        ).info("off the GPU, so that the next new reference need not read it from disk again; 0 frees it at once"),
    }


def _file_options() -> dict[str, Any]:
    import gradio as gr
    from modules import shared

    return {
        "model_folders": shared.OptionInfo(
            Settings.model_folders,
            "Further folders with adapters and image encoders, one a line",
            gr.Textbox,
            {"lines": 2, "placeholder": "/path/to/ComfyUI/models"},
            restrict_api=True,
        ).info("searched with their subfolders, before the WebUI's own"),
        "mirror": shared.OptionInfo(
            Settings.mirror,
            "Mirror from which models are fetched",
            gr.Textbox,
            {"placeholder": catalogue().base},
            restrict_api=True,
        ).info("an address below which h94/IP-Adapter lies; hashes are checked all the same"),
        "cache_megabytes": shared.OptionInfo(
            Settings.cache_megabytes,
            "Embedding cache on disk, megabytes",
            gr.Slider,
            {"minimum": 0, "maximum": 4096, "step": 64},
        ).info("a reference seen before needs neither the picture nor the encoder; 0 keeps nothing"),
        "records_megabytes": shared.OptionInfo(
            Settings.records_megabytes,
            "Without an adapter: keep what was read of a reference, megabytes of RAM",
            gr.Slider,
            {"minimum": 0, "maximum": 32768, "step": 256},
        ).info("further pictures with the same reference cost next to nothing; 25 steps at 1024×1024 take 5 GB"),
    }


def register() -> None:
    """Add the section; called by the host when it builds the settings page."""
    from modules import shared

    inner = shared.OptionInfo(Settings.style_inner_passes, "Style the inner passes of ADetailer too")
    for name, option in {**_encoder_options(), **_file_options(), "style_inner_passes": inner}.items():
        option.section = ("instantstyle", NAME)
        shared.opts.add_option(f"{_PREFIX}{name}", option)
