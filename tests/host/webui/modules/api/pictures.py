"""Pictures in requests and answers."""

from __future__ import annotations

import base64
import io
import ipaddress
import socket
from typing import Any
from urllib.parse import urlparse

import requests
from fastapi.exceptions import HTTPException
from PIL import Image

from modules import images, shared

_TIMEOUT = 30


def verify_url(url: str) -> bool:
    """Whether every address of the host is a public one."""
    try:
        addresses = socket.getaddrinfo(urlparse(url).hostname, None)
        return all(ipaddress.ip_address(entry[4][0]).is_global for entry in addresses)
    except (OSError, ValueError):
        return False


def decode_base64_to_image(encoding: str) -> Image.Image:
    """Read a picture from base64, a data URL, or a URL as far as the settings allow requests.

    Raises:
        HTTPException: With status 500, if it cannot or must not be read.
    """
    if encoding.startswith(("http://", "https://")):
        return _fetch(encoding)
    if encoding.startswith("data:image/"):
        encoding = encoding.split(";")[1].split(",")[1]
    try:
        return images.read(io.BytesIO(base64.b64decode(encoding)))
    except Exception as error:
        raise HTTPException(status_code=500, detail="Invalid encoded image") from error


def _fetch(url: str) -> Image.Image:
    if not shared.opts.api_enable_requests:
        raise HTTPException(status_code=500, detail="Requests not allowed")
    if shared.opts.api_forbid_local_requests and not verify_url(url):
        raise HTTPException(status_code=500, detail="Request to local resource not allowed")
    headers = {"user-agent": shared.opts.api_useragent} if shared.opts.api_useragent else {}
    response = requests.get(url, timeout=_TIMEOUT, headers=headers)
    try:
        return images.read(io.BytesIO(response.content))
    except Exception as error:
        raise HTTPException(status_code=500, detail="Invalid image url") from error


def encode_pil_to_base64(image: Any) -> bytes:
    if isinstance(image, str):
        return image.encode()
    return base64.b64encode(images.png_bytes(image, image.info.get("parameters")))
