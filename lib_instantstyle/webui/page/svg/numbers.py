"""Numbers as text in drawings."""


def signed(value: float, form: str = ".2f") -> str:
    """Return a number as drawings show it: two digits, a real minus sign, no negative zero."""
    return format(round(value, 2) + 0.0, form).replace("-", "−")
