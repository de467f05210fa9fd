"""Messages as the page says them: without what only the API's users need."""

from __future__ import annotations

import re

from lib_instantstyle.params.style_params import controls


def in_page_words(message: str) -> str:
    """Return ``message`` without the API's keys, which stand in brackets after what the page calls them."""
    return re.sub(rf" \((?:{'|'.join(controls())}|'\w+' in the API)\)", "", message)
