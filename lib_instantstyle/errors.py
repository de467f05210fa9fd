"""One family of errors. Each message says what is wrong, which value, and what to do.

The attributes ``status_code`` and ``detail`` are what the WebUI's API handler reads from an exception to
answer the client; they carry no dependency on it.
"""

UNPROCESSABLE = 422


class InstantStyleError(Exception):
    """Anything the user can mend.

    Attributes:
        status_code: HTTP status of the API answer.
        detail: The message, as the API's ``detail`` field.
    """

    def __init__(self, message: str, status_code: int = UNPROCESSABLE) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.detail = message


class ParameterError(InstantStyleError):
    """A control or an API key has a value that cannot be used."""


class PictureError(InstantStyleError):
    """The reference picture is missing, unreadable or of an unusable size."""


class AdapterError(InstantStyleError):
    """The IP-Adapter file is missing, damaged or of another kind than needed."""


class EncoderError(InstantStyleError):
    """The image encoder is missing, damaged or does not fit the adapter."""


class UnsupportedModelError(InstantStyleError):
    """The loaded checkpoint is not an SDXL base model."""


class RowsError(InstantStyleError):
    """The rows of a UNet call cannot be told apart into conditional and unconditional."""


class RegionError(InstantStyleError):
    """A region cannot be placed at a cross-attention."""


class StyleError(InstantStyleError):
    """A saved style is damaged, or cannot be written."""


class UnknownStyleError(StyleError):
    """There is no saved style of that name."""


class DownloadError(InstantStyleError):
    """A model cannot be fetched, or is not what it should be."""


class UnreachableError(DownloadError):
    """Nothing answers at the address of a model."""


class CancelledDownloadError(DownloadError):
    """The user has cancelled; what was received is kept."""

    def __init__(self) -> None:
        super().__init__("Cancelled. What was received is kept, and the next time only the rest is fetched.")
