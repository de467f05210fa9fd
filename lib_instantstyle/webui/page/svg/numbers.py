"""Numbers as drawings show them."""


def signed(value: float, form: str = ".2f") -> str:
    """Return a number as it is drawn: two digits, a real minus, no negative zero."""
    return format(round(value, 2) + 0.0, form).replace("-", "−")
