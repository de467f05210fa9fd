"""One family of errors. Each message says what is wrong, which value, and what to do."""

UNPROCESSABLE = 422  # HTTP status


class InstantStyleError(Exception):
    """An error that the user can fix. The WebUI's API answers with its ``status_code`` and ``detail``."""

    def __init__(self, message: str, status_code: int = UNPROCESSABLE) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.detail = message


class ParameterError(InstantStyleError):
    """A control or an API key has a value that cannot be used."""


class PictureError(InstantStyleError):
    """The reference picture is missing, unreadable or of an unusable size."""


class AdapterError(InstantStyleError):
    """The IP-Adapter file is missing, damaged or of the wrong kind."""


class EncoderError(InstantStyleError):
    """The image encoder is missing, damaged or does not fit the adapter."""


class UnsupportedModelError(InstantStyleError):
    """The loaded checkpoint is not an SDXL base model."""


class RowsError(InstantStyleError):
    """Conditional and unconditional rows of a UNet call cannot be told apart."""


class RegionError(InstantStyleError):
    """A region does not map onto the grid of a cross-attention."""


class StyleError(InstantStyleError):
    """A saved style is damaged, or cannot be written."""


class UnknownStyleError(StyleError):
    """No saved style has that name."""


class DownloadError(InstantStyleError):
    """A model cannot be fetched, or the received file is not the expected one."""


class UnreachableError(DownloadError):
    """The server of a model does not answer."""


class CancelledDownloadError(DownloadError):
    """The user cancelled the download; the received part is kept."""

    def __init__(self) -> None:
        super().__init__("Cancelled. What was received is kept, and the next time only the rest is fetched.")
