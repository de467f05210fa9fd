"""`StyleParams` ⇄ the picture's generation parameters.

Version, preset, adapter and the two hashes are always written; any other control only where it acted and differs from
its default. Pasting text with our version fills in those defaults; text without it switches the accordion off.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any

from lib_instantstyle import NAME, __version__
from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.blocks import LAYOUT, Preset
from lib_instantstyle.params.controls import checked, quoted
from lib_instantstyle.params.declared import Passes
from lib_instantstyle.params.picture_hashes import SHORT, PictureHashes
from lib_instantstyle.params.self_attention import ADAPTER_ONLY, READING_ONLY, Reach, Reading
from lib_instantstyle.params.style_params import StyleParams, controls, default_of
from lib_instantstyle.webui.styles.idle import uses_layout_picture
from lib_instantstyle.webui.styles.prepared_style import PreparedStyle

VERSION = NAME
ENABLED = f"{NAME} enabled"  # never written: names the accordion for the "Send to" buttons
NOTE = f"{NAME} note"
STYLES = f"{NAME} styles"
ADAPTER_HASH = f"{NAME} adapter SHA-256"


def key_of(name: str) -> str:
    """Return the infotext key of the field ``name``."""
    return ENABLED if name == "enabled" else f"{NAME} {name.replace('_', ' ')}"


def is_ours(key: str) -> bool:
    """Whether an infotext key belongs to this extension."""
    return key == VERSION or key.startswith(f"{NAME} ")


def write(style: PreparedStyle, adapter_sha256: str | None, *, hires: bool) -> dict[str, Any]:
    """Return the entries for a picture made with ``style``; ``hires`` says whether hires fix is on."""
    entries: dict[str, Any] = {VERSION: __version__}
    idle = _idle(style, hires=hires)
    adapter = style.encoded.adapter if style.encoded else None
    for name, control in controls().items():
        # The adapter by its file name: what Automatic chooses depends on the folders.
        value = adapter.path.name if adapter and name == "adapter" else getattr(style.params, name)
        if control.recorded and name not in idle and (name == "preset" or value != default_of(name)):
            entries[key_of(name)] = value.value if isinstance(value, Enum) else _kept_whole(value)
    if adapter:
        entries[ADAPTER_HASH] = adapter_sha256
    if text := _hashes(style):
        entries[key_of("reference")] = text
    return entries


def _kept_whole(value: Any) -> Any:
    """Quote a text whose own quotes the host would write as they are and strip when it reads them."""
    is_misread = isinstance(value, str) and '"' in value and not set(value) & set(",:\n")
    return json.dumps(value, ensure_ascii=False) if is_misread else value


def _idle(style: PreparedStyle, *, hires: bool) -> set[str]:
    """Return the controls that had no effect, whatever their values."""
    params = style.params
    conditions = {
        ("blocks",): params.preset is not Preset.CUSTOM,
        ("style_weight",): params.selected <= {LAYOUT},
        ("layout_weight",): LAYOUT not in params.selected,
        ("content", "content_strength", "removal"): not style.contents,
        ("passes",): not hires,
        ("hires_curve",): not hires or params.passes is Passes.FIRST,
        ("hires_start", "hires_end"): not (hires and params.has_hires_schedule) or params.passes is Passes.FIRST,
        ADAPTER_ONLY: not params.method.has_adapter,
        READING_ONLY: not params.method.has_reading,
        ("self_blocks",): params.reach is not Reach.CUSTOM,
        ("copies",): params.reading is not Reading.SHARE,
        ("calibration_start", "calibration_end"): not params.calibration,
    }
    return {name for names, holds in conditions.items() if holds for name in names}


def _hashes(style: PreparedStyle) -> str:
    hashes, idle = style.hashes or PictureHashes(), () if uses_layout_picture(style.params) else ("layout",)
    others = {role: sha256 for role, sha256 in hashes.others.items() if role not in idle}
    return dataclasses.replace(hashes, others=others).text(SHORT)


def write_styles(hashes: Mapping[int, Mapping[str, str]], batch: Iterable[int]) -> dict[str, Any]:
    """Return the entry with the saved styles that acted and the hashes of their files.

    Args:
        hashes: By the picture's number in the job, and the style's name.
        batch: The pictures whose infotext comes next. Where they differ, the host asks for each picture's own.
    """
    parts = {picture: [f"{name}: {digest}" for name, digest in own.items()] for picture, own in hashes.items()}
    texts = {picture: ", ".join(own) for picture, own in parts.items()}
    if not texts:
        return {}
    if len(different := {texts.get(picture) for picture in (*batch, *texts)}) == 1:
        return {STYLES: different.pop()}
    return {STYLES: _TextOfPicture(", ".join(dict.fromkeys(itertools.chain(*parts.values()))), texts)}


class _TextOfPicture(str):
    """All styles of a job, as Classic writes it into its answer; called by the host, those of one picture."""

    _texts: Mapping[int, str]

    def __new__(cls, every: str, texts: Mapping[int, str]) -> _TextOfPicture:
        """Keep ``texts`` by the picture's number in the job."""
        new = super().__new__(cls, every)
        new._texts = texts
        return new

    def __call__(self, *, p: Any, index: int, all_prompts: Any, use_main_prompt: bool, **_: Any) -> str | None:
        """Return one of them; the host's ``index`` counts from where the prompts begin, the job's or the batch's."""
        is_of_job = use_main_prompt or all_prompts is p.all_prompts
        return self._texts.get(index if is_of_job else p.iteration * p.batch_size + index)


def fill_defaults(parameters: dict[str, Any]) -> list[str]:
    """Complete pasted ``parameters`` with the defaults that `write` left out, and call choices as the page does.

    Returns:
        What is wrong with values that cannot be used; those are replaced by the default.
    """
    if VERSION not in parameters:
        return []
    _rejoin_sizes(parameters)
    parameters.setdefault(key_of("reference"), "")
    warnings: list[str] = []
    for name, control in controls().items():
        if not control.recorded:
            continue
        key, default = key_of(name), _written(default_of(name))
        try:
            parameters[key] = _written(_read(name, parameters.get(key, default)))
        except ParameterError:
            warnings.append(
                f"The pasted {control.label} {quoted(parameters[key])} cannot be used. It is {default or 'empty'} now."
            )
            parameters[key] = default
    return warnings


def other_styles(parameters: Mapping[str, Any], sha256_of: Callable[[str], str]) -> list[str]:
    """Return which saved styles differ from those that pasted ``parameters`` name; those that are gone do not count.

    ``sha256_of`` returns the hash of a saved style by its name, and nothing where there is none.
    """
    warnings: list[str] = []
    for name, digest in re.findall(r"([^,:]+): ([0-9a-f]+)", str(parameters.get(STYLES, ""))):
        own = sha256_of(name.strip())
        if own and not own.startswith(digest):
            warnings.append(f"The saved style {quoted(name.strip())} is another one than made that picture.")
    return warnings


def _read(name: str, text: str) -> Any:
    """Return the value of a control that ``text`` means."""
    value: Any = text
    if isinstance(default_of(name), float):
        with contextlib.suppress(ValueError):  # no number; what checks it says so
            value = float(text)
    return checked(StyleParams.__dataclass_fields__[name], value)


def _written(value: Any) -> str:
    return str(value.value if isinstance(value, Enum) else value)


def _rejoin_sizes(parameters: dict[str, Any]) -> None:
    """Rejoin texts such as '2x4', which the host splits into a width and a height."""
    for key in map(key_of, controls()):
        if f"{key}-1" in parameters:
            parameters[key] = f"{parameters.pop(f'{key}-1')}x{parameters.pop(f'{key}-2')}"


def is_enabled(parameters: dict[str, Any]) -> bool:
    """Return whether pasted ``parameters`` come from a styled picture."""
    return VERSION in parameters
