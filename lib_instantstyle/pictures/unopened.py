"""Pictures that were handed over and that nobody has looked at yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib_instantstyle.errors import PictureError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Unopened:
    """A picture as the page sent or named it. A job that does not use it never reads it.

    Attributes:
        payload: What the page sent; it shows the picture again.
        opener: Makes of the payload, and of what messages call the picture, a value that `load_picture` takes.
    """

    payload: Any
    opener: Callable[[Any, str], Any]

    def open(self, name: str) -> Any:
        """Return what the payload stands for.

        Raises:
            PictureError: If its file is gone, or does not belong to this run of the WebUI.
        """
        try:
            return self.opener(self.payload, name)
        except (FileNotFoundError, AssertionError) as error:  # the host asserts that it wrote the file itself
            raise PictureError(
                f"The {name} is gone: the WebUI was started anew, or its temporary files were deleted, since it was "
                "dropped. Drop it again."
            ) from error
