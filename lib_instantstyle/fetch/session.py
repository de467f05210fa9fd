"""The connections of a download, by the host's own `requests`: its certificates and proxies, and safe redirects."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import requests

from lib_instantstyle.errors import DownloadError

# Byte for byte: what is packed on the way could be neither resumed nor measured.
_HEADERS = {"User-Agent": "sd-webui-instantstyle", "Accept-Encoding": "identity"}


class Session(requests.Session):
    """Follows redirects, but never from https to an insecure scheme."""

    def __init__(self) -> None:
        super().__init__()
        self.headers.update(_HEADERS)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return where ``resp`` leads to, None if nowhere.

        Raises:
            DownloadError: If that is not secure.
        """
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        here, there = urlsplit(resp.url), urljoin(resp.url, target)
        if urlsplit(there).scheme != "https" and (here.scheme == "https" or urlsplit(there).scheme != "http"):
            raise DownloadError(f"{here.hostname} redirects to {there}, which is not secure. Choose another mirror.")
        return target


def is_passing(error: Exception) -> bool:
    """Whether a request that ended in ``error`` may succeed if it is sent again."""
    return isinstance(error, (requests.ConnectionError, requests.Timeout))


def reason_of(error: Exception) -> str:
    """Return the innermost cause in its own words, ``Connection refused``, and whether a proxy is behind it."""
    where = "proxy: " if isinstance(error, requests.exceptions.ProxyError) else ""
    return where + _innermost(error)


def _innermost(error: BaseException) -> str:
    causes = (getattr(error, "reason", None), *error.args, error.__cause__)
    inner = next((cause for cause in causes if isinstance(cause, Exception)), None)
    return _innermost(inner) if inner else getattr(error, "strerror", None) or str(error) or type(error).__name__
