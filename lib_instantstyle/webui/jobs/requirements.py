"""What a style needs to be possible, checked before anything is encoded."""

from __future__ import annotations

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.method.removal import check_space
from lib_instantstyle.models.adapter import Adapter
from lib_instantstyle.params.controls import quoted
from lib_instantstyle.params.style_params import StyleParams


def check_requirements(params: StyleParams, adapter: Adapter, references: int, text_width: int | None) -> None:
    """Refuse settings that contradict each other, the adapter or the checkpoint.

    Args:
        params: The settings.
        adapter: Reads the embeddings.
        references: Number of style references.
        text_width: Dimensions of the text tower's vectors, None while that is unknown.

    Raises:
        ParameterError: Saying which setting, and what to choose.
    """
    check_removal(params, adapter, text_width)
    params.reference_weights(references)


def check_removal(params: StyleParams, adapter: Adapter, text_width: int | None) -> None:
    """Refuse content that the adapter or the checkpoint cannot remove, as `check_requirements` does."""
    if not params.removed:
        return
    if not adapter.has_text_space:
        raise ParameterError(
            f"{adapter.path.name} cannot remove content ({quoted(params.content)}): choose ip-adapter_sdxl, or empty "
            "Content to remove. Plus adapters see patches of the picture, not one embedding that words could be "
            "subtracted from."
        )
    if text_width is not None:
        check_space(adapter.embedding_width, text_width)
