"""The text of the preset Custom: weights of blocks and of single attentions.

Either eleven numbers in forward order, or pairs ``name:weight``. A name is a block (by role, diffusers or LDM
name), or one attention in it: ``style.3`` or ``up_blocks.0.attentions.1.transformer_blocks.3``. The weight of a single
attention wins over the weight of its block.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.blocks import BLOCKS, Block, Preset, find_block, preset_weights
from lib_instantstyle.params.controls import parse_weight

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELD = "Custom block weights (blocks)"
_SINGLE = re.compile(r"(?P<block>.+?)\.(?:transformer_blocks\.)?(?P<depth>\d{1,3})(?:\.attn[12])?")


class SiteName(NamedTuple):
    """One attention, by its index among the transformer layers of its block. It need not exist in every UNet."""

    block: Block
    depth: int

    @property
    def name(self) -> str:
        """The diffusers name, as the paper uses it."""
        return f"{self.block.name}.transformer_blocks.{self.depth}"


Target = Block | SiteName


def block_of(target: Target) -> Block:
    """Return the block that ``target`` is or belongs to."""
    return target.block if isinstance(target, SiteName) else target


def selected_weights(preset: Preset, text: str) -> dict[Target, float]:
    """Return the weights of ``preset``; those of the custom preset are parsed from ``text``."""
    if preset is Preset.CUSTOM:
        return parse_block_weights(text)
    return {block: weight for block, weight in preset_weights(preset).items()}  # noqa: C416  another key type


def parse_block_weights(text: str, field_name: str = _FIELD) -> dict[Target, float]:
    """Parse ``"0, 0, 0, 0.4, 0, 0, 1, 0, 0, 0, 0"`` in the order of `BLOCKS`, or ``"style:1, layout:0.4, style.9:0"``.

    ``field_name`` is for the messages.

    Raises:
        ParameterError: For an empty text, a count other than eleven, an unknown or repeated name, or a weight that is
            not a number between −3 and 3.
    """
    parts = [part.strip() for part in text.replace("\n", ",").strip(" ,[]").split(",")]
    if parts == [""]:
        raise ParameterError(f"{field_name} are empty. Write for example 'style:1, layout:0.4'.")
    if not any(":" in part for part in parts):
        return _parse_list(parts, field_name)
    weights: dict[Target, float] = {}
    for part in parts:
        name, separator, weight = part.rpartition(":")
        if not separator:
            raise ParameterError(f"{field_name}: {part!r} has no weight. Write it as '{part}:1'.")
        target = _find_target(name)
        if target in weights:
            raise ParameterError(f"{field_name} name {target.name} twice. Keep one of them.")
        weights[target] = parse_weight(weight, field_name)
    return weights


def format_block_weights(weights: Mapping[Target, float]) -> str:
    """Return the text that `parse_block_weights` parses to ``weights``, without blocks of weight 0."""
    kept = {target: weight for target, weight in weights.items() if weight or isinstance(target, SiteName)}
    return ", ".join(f"{_short_name(target)}:{weight:.10g}" for target, weight in kept.items()) or "style:0"


def weight_at(weights: Mapping[Target, float], block: Block, depth: int) -> float:
    """Return the weight of one attention: its own if it has one, else its block's, else 0."""
    return weights.get(SiteName(block, depth), weights.get(block, 0.0))


def _short_name(target: Target) -> str:
    block = block_of(target)
    name = block.role.value or block.name
    return f"{name}.{target.depth}" if isinstance(target, SiteName) else name


def _find_target(name: str) -> Target:
    single = _SINGLE.fullmatch(name.strip().lower())
    if single and not any(block.is_called(name) for block in BLOCKS):  # names of blocks may end in a number as well
        return SiteName(find_block(single["block"]), int(single["depth"]))
    return find_block(name)


def _parse_list(parts: list[str], field_name: str) -> dict[Target, float]:
    if len(parts) != len(BLOCKS):
        raise ParameterError(
            f"{field_name}: {len(parts)} numbers given, {len(BLOCKS)} needed "
            "(4 down, 1 mid, 6 up). Or name the blocks: 'style:1, layout:0.4'."
        )
    return {block: parse_weight(part, field_name) for block, part in zip(BLOCKS, parts, strict=True)}
