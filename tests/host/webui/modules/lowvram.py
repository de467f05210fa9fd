"""The stand-in always keeps the whole model where it is."""


def is_enabled(sd_model: object) -> bool:
    return bool(getattr(sd_model, "lowvram", False))


def is_needed(_sd_model: object) -> bool:
    return False


def send_everything_to_cpu() -> None:
    """Nothing to send."""
