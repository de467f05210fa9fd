"""The facts for the preflight, gathered without loading a checkpoint, an adapter or an encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lib_instantstyle import preflight
from lib_instantstyle.encoder import first_suitable
from lib_instantstyle.errors import InstantStyleError, UnsupportedModelError
from lib_instantstyle.sites import enumerate_sites
from lib_instantstyle.webui import models
from lib_instantstyle.webui.loaded import check_replacement, loaded_unet, text_width

if TYPE_CHECKING:
    from lib_instantstyle.checkpoint import Adapter
    from lib_instantstyle.preflight import Facts


def gather(adapter: str, references: int | None, style: str, content: str) -> Facts:
    """Return what is known for a job with these settings."""
    found = _file_facts(adapter)
    found |= _model_facts(found.get("adapter"))
    return preflight.Facts(**found, references=references, style=style, content=content)


def describe(adapter: str = "", content: str = "") -> dict[str, Any]:
    """Return the list for the API."""
    found = preflight.checks(gather(adapter, None, "", content))
    return {
        "ready": all(check.verdict is not preflight.Verdict.MISSING for check in found),
        "next": preflight.next_step(found),
        "checks": [
            {"name": check.name, "state": check.verdict.value, "text": check.text, "todo": check.todo}
            for check in found
        ],
    }


def _model_facts(adapter: Adapter | None) -> dict[str, Any]:
    from modules import shared

    unet = loaded_unet()
    facts: dict[str, Any] = {"model": str(getattr(shared.opts, "sd_model_checkpoint", None) or "")}
    facts["is_loaded"] = unet is not None
    if width := text_width():
        facts["text_width"] = width
    try:
        check_replacement()
        if unet is not None:
            sites = enumerate_sites(unet)
            if adapter is not None:
                adapter.check_fits(sites)
    except UnsupportedModelError as error:
        facts["model_problem"] = str(error)
    return facts


def _file_facts(name: str) -> dict[str, Any]:
    try:
        adapter = models.find_adapter(name)
    except InstantStyleError as error:
        return {"adapter_problem": str(error)} if models.list_adapters() else {}
    return {"adapter": adapter, "encoder": first_suitable(adapter, models.list_encoders())}
