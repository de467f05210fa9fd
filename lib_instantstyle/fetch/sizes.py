"""Numbers of bytes as people say them."""

_UNITS = (("GB", 10**9, 1), ("MB", 10**6, 0), ("KB", 10**3, 0))


def size_text(count: int) -> str:
    """Return a number of bytes as people say it: ``703 MB``, ``3.7 GB``."""
    for unit, factor, digits in _UNITS:
        if count >= factor:
            return f"{count / factor:.{digits}f} {unit}"
    return f"{count} bytes"
