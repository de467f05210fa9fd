"""The preflight's facts, gathered without loading a checkpoint, an adapter or an encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lib_instantstyle.errors import InstantStyleError, UnsupportedModelError
from lib_instantstyle.models.encoder_file import first_suitable
from lib_instantstyle.models.preflight import Facts, Verdict, checks, next_step
from lib_instantstyle.unet.plan import check_fits
from lib_instantstyle.unet.sites import enumerate_sites

if TYPE_CHECKING:
    from lib_instantstyle.models.adapter import Adapter
    from lib_instantstyle.models.model_files import ModelFiles
    from lib_instantstyle.webui.hosts.host import Host


class Readiness:
    """Whether everything that a styled picture needs is in place."""

    def __init__(self, host: Host, models: ModelFiles) -> None:
        self._host = host
        self._models = models

    def facts(self, adapter: str, references: int | None, style: str, content: str) -> Facts:
        """Return the facts for a job with these settings."""
        found = self._file_facts(adapter)
        found |= self._model_facts(found.get("adapter"))
        return Facts(**found, references=references, style=style, content=content)

    def report(self, adapter: str = "", content: str = "") -> dict[str, Any]:
        """Return the checks for the API."""
        found = checks(self.facts(adapter, None, "", content))
        return {
            "ready": all(check.verdict is not Verdict.MISSING for check in found),
            "next": next_step(found),
            "checks": [
                {"name": check.name, "state": check.verdict.value, "text": check.text, "todo": check.todo}
                for check in found
            ],
        }

    def _model_facts(self, adapter: Adapter | None) -> dict[str, Any]:
        unet = self._host.loaded_unet()
        facts: dict[str, Any] = {"model": self._host.checkpoint_name(), "is_loaded": unet is not None}
        if width := self._host.text_width():
            facts["text_width"] = width
        try:
            self._host.check_replacement()
            if unet is not None:
                sites = enumerate_sites(unet)
                if adapter is not None:
                    check_fits(adapter, sites)
        except UnsupportedModelError as error:
            facts["model_problem"] = str(error)
        return facts

    def _file_facts(self, name: str) -> dict[str, Any]:
        found = self._models.look()
        try:
            adapter = found.find_adapter(name)
        except InstantStyleError as error:
            return {"adapter_problem": str(error)} if found.adapters else {}
        return {"adapter": adapter, "encoder": first_suitable(adapter, found.encoders)}
