"""Pictures: reading, resizing, saving with their parameters, grids."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps, PngImagePlugin

from modules import script_callbacks, shared

_EXIF_IFD, _USER_COMMENT = 0x8769, 0x9286
_NOT_SHOWN = {
    "jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "exif", "loop", "background", "timestamp", "duration",
    "progressive", "progression", "icc_profile", "chromaticity", "photoshop",
}  # fmt: skip
LANCZOS = Image.Resampling.LANCZOS


def read(fp: Any) -> Image.Image:
    """Open a picture, turned as its EXIF says."""
    image = Image.open(fp)
    image.load()
    text = dict(image.info)
    try:
        turned = ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001  as the host does: a picture with odd EXIF stays as it is
        turned = image
    turned.info = {**turned.info, **{key: value for key, value in text.items() if key == "parameters"}}
    if turned.mode == "P" and "transparency" in turned.info:
        return turned.convert("RGBA")
    return turned


def flatten(image: Image.Image, bgcolor: str = "#ffffff") -> Image.Image:
    """Put a transparent picture on a background."""
    if image.mode == "RGBA":
        background = Image.new("RGBA", image.size, bgcolor)
        background.alpha_composite(image)
        image = background
    return image.convert("RGB")


def resize_image(resize_mode: int, im: Image.Image, width: int, height: int, upscaler_name: Any = None) -> Image.Image:
    """0: stretch. 1: crop to fill. 2: fit and repeat the edges."""
    if resize_mode == 0:
        return im.resize((width, height), LANCZOS)
    if resize_mode == 1:
        return ImageOps.fit(im, (width, height), LANCZOS)
    fitted = ImageOps.contain(im, (width, height), LANCZOS)
    filled = fitted.resize((width, height), LANCZOS)
    filled.paste(fitted, ((width - fitted.width) // 2, (height - fitted.height) // 2))
    return filled


def image_grid(imgs: list[Image.Image], batch_size: int = 1, rows: int | None = None) -> Image.Image:
    rows = rows or max(1, round(math.sqrt(len(imgs))))
    columns = math.ceil(len(imgs) / rows)
    script_callbacks.image_grid_callback(script_callbacks.ImageGridLoopParams(imgs, columns, rows))
    width, height = (max(sizes) for sizes in zip(*(image.size for image in imgs), strict=True))
    grid = Image.new("RGB", (columns * width, rows * height), "black")
    for index, image in enumerate(imgs):
        grid.paste(image, (index % columns * width, index // columns * height))
    return grid


def read_info_from_image(image: Image.Image) -> tuple[str | None, dict[str, Any]]:
    """Return the generation parameters and what else the file says: PNG text, a JPEG's EXIF, a GIF's comment."""
    items = dict(image.info or {})
    parameters = items.pop("parameters", None)
    if "exif" in items:
        parameters = _user_comment(items["exif"]) or parameters
    elif "comment" in items:
        comment = items["comment"]
        parameters = comment.decode("utf-8", errors="ignore") if isinstance(comment, bytes) else comment
    return parameters, {key: value for key, value in items.items() if key not in _NOT_SHOWN}


def _user_comment(data: bytes) -> str:
    """Return the EXIF user comment: eight bytes that name its encoding, then the text."""
    exif = Image.Exif()
    try:
        exif.load(data)
        comment = exif.get_ifd(_EXIF_IFD).get(_USER_COMMENT, b"")
    except OSError:  # no more than the host's piexif lets pass
        return ""
    encoding = {b"UNICODE\0": "utf-16-be", b"ASCII\0\0\0": "ascii"}.get(comment[:8])
    return comment[8:].decode(encoding) if encoding else comment.decode("utf-8", errors="ignore")


def png_bytes(image: Image.Image, parameters: str | None) -> bytes:
    info = PngImagePlugin.PngInfo()
    if parameters:
        info.add_text("parameters", parameters)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def save_image(
    image: Image.Image, path: str, basename: str, seed: Any = None, prompt: Any = None, info: str | None = None,
    p: Any = None, **_options: Any,
) -> tuple[str, None]:  # fmt: skip
    """Save below ``path`` under the next free number."""
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    number = sum(1 for _ in folder.glob("*.png"))
    filename = folder / f"{basename}{'-' if basename else ''}{number:05}-{seed}.png"
    params = script_callbacks.ImageSaveParams(image, p, str(filename), {"parameters": info})
    script_callbacks.before_image_saved_callback(params)
    text = params.pnginfo.get("parameters") if shared.opts.enable_pnginfo else None
    Path(params.filename).write_bytes(png_bytes(params.image, text))
    image.already_saved_as = params.filename
    script_callbacks.image_saved_callback(params)
    return params.filename, None
