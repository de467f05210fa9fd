"""A part of the accordion."""

from __future__ import annotations

from lib_instantstyle.webui.page.fields import Fields


class Section:
    """Lays itself out when it is constructed; events follow once all sections are there.

    Args:
        fields: Of the tab that it is part of.
    """

    def __init__(self, fields: Fields) -> None:
        self._fields = fields

    def publish(self) -> None:
        """Register the events that others may listen to. All sections do so before any of them connects."""

    def connect(self) -> None:
        """Let the components act, and listen to what others have published."""
