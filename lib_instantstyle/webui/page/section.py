"""The base class of the accordion's parts."""

from __future__ import annotations

from lib_instantstyle.webui.page.fields import Fields


class Section:
    """A part of the accordion. It adds components to ``fields`` when constructed, and events once all parts exist."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields

    def publish(self) -> None:
        """Publish the events that others may listen to. All sections do so before any of them connects."""

    def connect(self) -> None:
        """Attach handlers to the components' events and to what others have published."""
