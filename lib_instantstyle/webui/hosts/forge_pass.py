"""The rows of the Forge family's UNet calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lib_instantstyle.errors import UnsupportedModelError
from lib_instantstyle.unet.call import UNetCall
from lib_instantstyle.unet.rows import Row, best_matches, chunk_rows, compare_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch


class ForgePass:
    """Identifies the rows of each call by what the WebUI says of it in ``transformer_options``.

    ``cond_or_uncond`` has the kind of each chunk (0 conditional, 1 unconditional), ``sigmas`` one value per picture of
    a chunk. Self-attention guidance calls what runs on the negative prompt conditional; so where a step has both
    prompts and a call claims to have none but the positive one, its texts are looked at, once per place in a step.
    """

    def __init__(self, first_picture: int) -> None:
        self._first_picture = first_picture
        self._step: Any = None
        self._calls: tuple[object, ...] = ()  # those of the step so far
        self._known: dict[tuple[object, ...], tuple[Row, ...]] = {}

    def begin_step(self, step: Any) -> None:
        """Keep its texts."""
        self._step, self._calls = step, ()

    def read_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> UNetCall:
        """Read a call ``unet(x, timesteps, context=…, transformer_options=…)``."""
        options = kwargs.get("transformer_options")
        if not options or "cond_or_uncond" not in options or "sigmas" not in options:
            raise UnsupportedModelError(
                "Another extension calls the UNet without saying which rows are conditional (cond_or_uncond). Switch "
                "it off, or switch InstantStyle off."
            )
        context = kwargs.get("context")
        kinds, pictures = tuple(options["cond_or_uncond"]), options["sigmas"].shape[0]
        self._calls += ((kinds, pictures, args[0].shape[0], None if context is None else context.shape[1]),)
        if self._calls not in self._known:
            rows = chunk_rows(kinds, pictures, args[0].shape[0], self._first_picture)
            self._known[self._calls] = rows if any(kinds) else self._corrected(rows, context)
        timesteps = kwargs["timesteps"] if "timesteps" in kwargs else args[1]
        return UNetCall(self._known[self._calls], timesteps, context, replaced=_replaced(options))

    def _corrected(self, rows: tuple[Row, ...], context: torch.Tensor | None) -> tuple[Row, ...]:
        """Return ``rows``, said to be conditional, with those as unconditional that carry the negative prompt only."""
        texts = [_tokens(getattr(self._step, name, None)) for name in ("text_cond", "text_uncond")]
        if context is None or any(text is None for text in texts):
            return rows
        conditional = texts[0].shape[0]
        found = best_matches(compare_texts(context, texts))
        negative = [bool(columns) and min(columns) >= conditional for columns in found]
        return tuple(Row(not is_negative, row.picture) for row, is_negative in zip(rows, negative, strict=True))


def _replaced(options: Mapping[str, Any]) -> frozenset[str]:
    """Return the blocks and layers whose self-attention is replaced: by stage, number and perhaps depth."""
    names = set()
    for stage, number, *depth in options.get("patches_replace", {}).get("attn1", ()):
        block = "middle_block.1" if stage == "middle" else f"{stage}_blocks.{number}.1"
        names.add(f"{block}.transformer_blocks.{depth[0]}" if depth else block)
    return frozenset(names)


def _tokens(text: Any) -> Any:
    return text["crossattn"] if isinstance(text, dict) else text
