"""Which WebUI the stand-in stands in for: AUTOMATIC1111's, or one of the Forge family.

The table below is the whole difference. Whatever behaves otherwise there asks `flavour` for its trait; no module exists
twice. A process has one flavour, from its start on.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from modules.shared_cmd_options import cmd_opts

_PACKAGES = Path(__file__).resolve().parents[2] / "packages"


class Flavour(NamedTuple):
    """What a WebUI does; the defaults are AUTOMATIC1111's.

    Attributes:
        version: As infotexts give it.
        packages: Folders of ``tests/host/packages`` whose packages extensions can import.
        chunks: Whether each UNet call says in ``transformer_options`` which kinds of rows it has, the last first; the
            model object then has ``forge_objects``, and jobs run in ``torch.inference_mode()``.
        loads_with_job: Whether jobs load the model, as a new object without ``model`` and ``conditioner``.
        replaces_models: Whether another checkpoint comes as new objects, whatever its configuration.
        hires_announcements: How often ``process_before_every_sampling`` comes before the hires pass.
        drops_negative: Whether there is no negative conditioning at CFG 1.
        hires_cfg: Default of ``hr_cfg``; None where the hires pass has the CFG of the first.
        needs_hires_modules: Whether the hires pass fails without ``hr_additional_modules``.
        blames_safetensors: Whether ``safetensors.torch.load_file`` is wrapped as the family wraps ``torch.load``.
        notes_on_model: Whether notes of prompts are on the model, and ``model_hijack`` is a stub.
        has_optimizers: Whether there is more than one attention optimiser.
        has_interrogator: Whether pictures can be described.
        embedded_previews: Whether pages of cards find previews in metadata.
        strict_json: Whether an answer fails for what is no JSON among a picture's parameters, and is not null then.
        error_key: What the API calls the text of an unforeseen error.
        error_answers: Whether `HTTPException` is answered in the same form.
        lists_all_options: Whether the API lists the options of extensions.
        reads_infotext: Whether a request may have an ``infotext``.
        plot_extras: Further arguments of the X/Y/Z plot, before the one for single pictures.
    """

    name: str
    version: str = "v1.10.1"
    packages: tuple[str, ...] = ()
    chunks: bool = False
    loads_with_job: bool = False
    replaces_models: bool = False
    hires_announcements: int = 1
    drops_negative: bool = False
    hires_cfg: float | None = None
    needs_hires_modules: bool = False
    blames_safetensors: bool = False
    notes_on_model: bool = False
    has_optimizers: bool = True
    has_interrogator: bool = True
    embedded_previews: bool = True
    strict_json: bool = False
    error_key: str = "errors"
    error_answers: bool = True
    lists_all_options: bool = True
    reads_infotext: bool = True
    plot_extras: int = 0


_FAMILY = Flavour("", chunks=True, replaces_models=True, has_optimizers=False, lists_all_options=False)
_TABLE = (
    Flavour("a1111"),
    _FAMILY._replace(
        name="forge", version="f2.0.1v1.10.1-1.10.1", packages=("family", "forge"), loads_with_job=True,
        hires_announcements=2, drops_negative=True, hires_cfg=1.0, needs_hires_modules=True, blames_safetensors=True,
        notes_on_model=True, error_key="message", error_answers=False, reads_infotext=False,
    ),
    _FAMILY._replace(
        name="reforge", version="f1.0.0v2-v1.10.1RC-1.10.1", packages=("family", "reforge"), hires_cfg=1.0,
        plot_extras=3,
    ),
    _FAMILY._replace(
        name="classic", version="classic", packages=("family", "reforge"), has_interrogator=False, embedded_previews=False,
        strict_json=True,
    ),
)  # fmt: skip

flavour = next(entry for entry in _TABLE if entry.name == cmd_opts.flavour)
sys.path[1:1] = [str(_PACKAGES / folder) for folder in flavour.packages]
