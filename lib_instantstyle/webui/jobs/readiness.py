"""The preflight's facts, gathered without loading a checkpoint, an adapter or an encoder."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lib_instantstyle import NAME
from lib_instantstyle.errors import InstantStyleError, ParameterError, UnsupportedModelError
from lib_instantstyle.models.encoder_file import first_suitable
from lib_instantstyle.models.preflight import Facts, Verdict, checks, next_step
from lib_instantstyle.params.controls import quoted
from lib_instantstyle.params.self_attention import Method
from lib_instantstyle.params.style_params import StyleParams, controls, default_of
from lib_instantstyle.params.tags import read_tags
from lib_instantstyle.pictures.decoding import is_empty
from lib_instantstyle.unet.plan import check_fits
from lib_instantstyle.unet.sites import enumerate_sites
from lib_instantstyle.webui.jobs.arguments import read_arguments
from lib_instantstyle.webui.styles.idle import left_out
from lib_instantstyle.webui.styles.requirements import GivenPictures, check_removal, check_site_weights

if TYPE_CHECKING:
    from lib_instantstyle.models.adapter import Adapter
    from lib_instantstyle.models.found_models import FoundModels
    from lib_instantstyle.webui.hosts.host import Host
    from lib_instantstyle.webui.styles.style_builder import StyleBuilder

Read = Callable[[], StyleParams]


class Around(NamedTuple):
    """What a job has besides our controls."""

    prompt: str = ""
    is_guided: bool = True  # whether CFG is above 1


ALONE = Around()


class Readiness:
    """Whether everything that a styled picture needs is in place, by the checks that ``builder`` makes for a job."""

    def __init__(self, host: Host, builder: StyleBuilder) -> None:
        self._host = host
        self._builder = builder

    def facts(self, values: Mapping[str, Any], read: Read, given: GivenPictures, around: Around = ALONE) -> Facts:
        """Return the facts for a job.

        Args:
            values: The values of its controls; of the pictures, the masks at most.
            read: Makes parameters of them, as the job would.
            given: What is known of the other pictures.
            around: What is known of the rest of the job.
        """
        adapter, style, content = (str(values.get(name) or "") for name in ("adapter", "style", "content"))
        builder = self._builder.for_one_job()  # looks once
        found = _file_facts(builder.look(), adapter)
        found["method"] = _method(values)
        found |= self._model_facts(found.get("adapter") if found["method"].has_adapter else None)
        found |= self._problems(builder, found, read, given, around)
        found |= self._tags(builder, around.prompt)
        pasted = 1 if values.get("reference") else given.references  # pictures that are known by their hashes
        return Facts(**found, style=style, content=content, references=given.references or pasted)

    def _tags(self, builder: StyleBuilder, prompt: str) -> dict[str, Any]:
        """Return which saved styles ``prompt`` names, or why a job would refuse them."""
        try:
            tags = read_tags(self._host.tags_in(prompt, NAME.lower()), builder.library.called)
            for tag in tags:
                builder.from_prompt(tag)
        except InstantStyleError as error:
            return {"tags_problem": str(error)}
        return {"tags": tuple(tag.name for tag in tags)}

    def _problems(
        self, builder: StyleBuilder, found: Mapping[str, Any], read: Read, given: GivenPictures, around: Around
    ) -> dict[str, Any]:
        """Return why a job would refuse the settings, or what would not act; a missing file has a check of its own."""
        adapter = found.get("adapter")
        try:
            params = read()
            if adapter and not params.style and params.method.has_adapter:
                try:
                    check_removal(params, adapter, self._host.text_width())
                except InstantStyleError as error:
                    return {"content_problem": str(error)}
            if given.problem:
                return {"problem": given.problem}
            if params.style or not params.method.has_adapter or (adapter and found["encoder"]):
                builder.check(params, given)
            for weights in (params.block_weights, params.self_weights):
                check_site_weights(weights, self._host.loaded_unet())
        except InstantStyleError as error:
            return {"problem": str(error)}
        roles = {*(given.roles or ()), *(() if params.style else given.pasted(params).others)}
        masks = (index for index, mask in enumerate(params.masks or ()) if not is_empty(mask))
        said = left_out(params, roles, masks, is_guided=around.is_guided)
        return {"left_out": tuple(each.todo for each in said)}

    def report(self, values: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the checks for the API: ``values`` of controls as texts, and the number of ``references``.

        Raises:
            ParameterError: If that is no number.
        """
        given = {name: _typed(name, text) for name, text in (values or {}).items()}
        number = given.pop("references", "")
        if number and not number.isdecimal():
            raise ParameterError(f"'references' must be the number of pictures; got {quoted(number)}.")
        arguments = [{**given, "enabled": True}]
        read = functools.partial(read_arguments, arguments, self._builder.library)
        found = checks(self.facts(given, read, GivenPictures(int(number) if number else None)))
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


def _file_facts(found: FoundModels, name: str) -> dict[str, Any]:
    try:
        adapter = found.find_adapter(name)
    except InstantStyleError as error:
        return {"adapter_problem": str(error)} if found.adapters else {}
    return {"adapter": adapter, "encoder": first_suitable(adapter, found.encoders)}


def _method(values: Mapping[str, Any]) -> Method:
    """Return the chosen method; what is none has a message of its own."""
    try:
        return Method(values.get("method") or default_of("method"))
    except ValueError:
        return Method.ADAPTER


def _typed(name: str, text: str) -> Any:
    """Return a query's text as a number where the control has one; what is none is refused as in the dict."""
    if name not in controls() or not isinstance(default_of(name), float):
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number
