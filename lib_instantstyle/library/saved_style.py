"""A saved style: embeddings and settings, to be used without pictures or encoder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lib_instantstyle.params.blocks import Preset
from lib_instantstyle.params.style_params import StyleParams, controls, default_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lib_instantstyle.method.embeddings import Embeddings
    from lib_instantstyle.method.latents import Latents
    from lib_instantstyle.models.adapter import Adapter, Kind

# Keys of `StyleParams` that belong to a picture, to a machine or to a single job, and not to a style.
_LEFT_OUT = frozenset(("enabled", "adapter", "passes", "reference", "style", "subject_weight"))
SETTINGS = tuple(name for name, declared in controls().items() if name not in _LEFT_OUT and not declared.pictures)
PICTURES = ("image", "images", "layout_image", "negative_image")  # a style's embeddings stand in their place


@dataclass(frozen=True)
class SavedStyle:
    """A style without its pictures."""

    kind: Kind | None  # of the adapters that read its embeddings
    width: int  # of its embeddings
    embeddings: Embeddings | None  # without the subject, which belongs to one picture; None without an adapter
    settings: Mapping[str, Any]  # by key of `StyleParams`, those that differ from their defaults
    thumbnail: bytes = b""  # an encoded picture, or nothing
    latents: Latents | None = None  # what self-attentions read; None where they read nothing
    sha256: str = field(default="", compare=False)  # of the file that it was read from

    @property
    def filled(self) -> dict[str, Any]:
        """The value of every setting that a style keeps, defaults included, under the names of today."""
        params = self.params()
        return {key: getattr(params, key) for key in SETTINGS}

    @property
    def references(self) -> int:
        """The number of its style references."""
        return len((self.embeddings or self.latents).style)  # type: ignore[union-attr]  # it has one at least

    @property
    def roles(self) -> frozenset[str]:
        """Which of "layout" and "negative" it holds a picture of."""
        layout = ["layout"] if self.latents and self.latents.layout else []
        return (self.embeddings.roles if self.embeddings else frozenset()) | frozenset(layout)

    def suits(self, adapter: Adapter) -> bool:
        """Whether ``adapter`` reads its embeddings."""
        return (adapter.kind, adapter.embedding_width) == (self.kind, self.width)

    def params(self) -> StyleParams:
        """Return the saved settings, validated; `ParameterError` if they cannot be used."""
        return StyleParams.from_dict({"enabled": True, **self.settings})


def settings_of(params: StyleParams) -> dict[str, Any]:
    """Return the settings of ``params`` that a style keeps."""
    values = {name: getattr(params, name) for name in SETTINGS if name != "blocks" or params.preset is Preset.CUSTOM}
    return {name: getattr(value, "value", value) for name, value in values.items() if value != default_of(name)}
