"""What the page's picture boxes hand over, and what becomes of a painted canvas."""

from __future__ import annotations

import base64
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lib_instantstyle.errors import ParameterError, PictureError
from lib_instantstyle.params.style_params import StyleParams, controls
from lib_instantstyle.pictures.decoding import is_empty, load_picture, load_pictures
from lib_instantstyle.pictures.unopened import Unopened
from lib_instantstyle.webui.encoding.job_pictures import take_pictures
from lib_instantstyle.webui.page.pictures import Canvas, MaskGallery, PictureBox, PictureGallery
from lib_instantstyle.webui.page.tabs.references_tab import _added, _views
from lib_instantstyle.webui.page.tabs.regions_tab import _blank, _set
from tests.live.client import encoded

RED = Image.new("RGB", (64, 48), (255, 0, 0))
SIZE = (64, 48)
NO_PICTURE = "data:image/png;base64," + base64.b64encode(b"a text that was renamed").decode()


def url(image: Image.Image) -> str:
    return f"data:image/png;base64,{encoded(image)}"


def strokes(box: tuple[int, int, int, int] | None = None) -> str:
    layer = Image.new("RGBA", SIZE, (0, 0, 0, 0))
    if box:
        ImageDraw.Draw(layer).rectangle(box, (255, 255, 255, 255))
    return url(layer)


def used(sent: Any, number: str = "1") -> Image.Image:
    mask = _set(Canvas().preprocess(sent), number, 0, [])[int(number) - 1]
    assert mask is not None
    return mask


def test_sixteen_bits_arrive_scaled_not_clipped() -> None:
    grey = Image.fromarray(np.linspace(0, 65535, 40 * 40).reshape(40, 40).astype(np.uint16))
    picture = load_picture(PictureBox().preprocess(url(grey)))
    assert picture is not None
    values = np.asarray(picture.image)
    assert (values.min(), values.max()) == (0, 255)
    assert values.mean() == pytest.approx(127.5, abs=1)


def test_what_is_no_picture_is_refused_by_us() -> None:
    with pytest.raises(PictureError, match="The style reference cannot be read: it is no picture"):
        load_picture(PictureBox().preprocess(NO_PICTURE), name="style reference")


def test_an_empty_box_is_none() -> None:
    assert PictureBox().preprocess(None) is None


def test_strokes_are_the_mask() -> None:
    assert used({"image": url(_blank(*SIZE)), "mask": strokes((8, 8, 23, 31))}).getbbox() == (8, 8, 24, 32)


@pytest.mark.parametrize(
    "sent",
    [url(_blank(*SIZE)), {"image": url(_blank(*SIZE)), "mask": None}, {"image": url(_blank(*SIZE)), "mask": strokes()}],
    ids=["alone", "without a mask", "without strokes"],
)
def test_an_empty_canvas_is_no_mask(sent: Any) -> None:
    with pytest.raises(ParameterError, match=r"Nothing is painted yet\. Paint where reference 2 acts"):
        used(sent, "2")


def test_no_canvas_is_no_mask() -> None:
    with pytest.raises(ParameterError, match="There is nothing to make a mask of"):
        used(None)


@pytest.mark.parametrize("level", [64, 96, 128, 255])
def test_an_uploaded_mask_may_be_uniform(level: int) -> None:
    sent = {"image": url(Image.new("L", SIZE, level)), "mask": strokes()}
    assert used(sent).getextrema() == (level, level)


def test_an_uploaded_mask_may_have_sixteen_bits() -> None:
    half = Image.fromarray(np.full((48, 64), 32896, dtype=np.uint16))
    assert used({"image": url(half), "mask": None}).getextrema() == (128, 128)


# ---- nothing is opened before a job looks at it ----


def never(*_: Any, **__: Any) -> None:
    raise AssertionError("somebody looked")


FILE = {"name": "/tmp/gradio/gone/image.png", "data": None, "is_file": True}
SENT = {
    PictureBox: url(_blank(*SIZE)),
    PictureGallery: [FILE, [FILE, None], [FILE, "a caption"]],
    MaskGallery: [[FILE, "Reference 2"], [FILE, "no mask"]],
}


@pytest.mark.parametrize("kind", SENT)
def test_a_box_opens_nothing(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", never)
    monkeypatch.setattr(base64, "b64decode", never)
    handed = kind().preprocess(SENT[kind])
    assert handed
    StyleParams.from_args([False, *[handed] * (len(controls()) - 1)])
    StyleParams(image=handed, images=handed, masks=handed)  # validated, and still not opened
    assert pickle.loads(pickle.dumps(handed)) == handed  # other extensions keep a job's values for later


@pytest.mark.parametrize("kind", SENT)
@pytest.mark.parametrize("payload", [None, [], ""])
def test_an_empty_box_holds_nothing(kind: Any, payload: Any) -> None:
    assert is_empty(kind().preprocess(payload))


def test_what_came_from_the_page_goes_back_as_it_came() -> None:
    """'Send to img2img', and buttons that leave other pictures as they are; the file may be gone."""
    box, gallery, masks = PictureBox(), PictureGallery(), MaskGallery()
    assert box.postprocess(box.preprocess(SENT[PictureBox])) == SENT[PictureBox]
    assert gallery.postprocess(gallery.preprocess([FILE, FILE])) == [FILE, FILE]
    assert masks.postprocess(masks.preprocess(SENT[MaskGallery])) == [[FILE, "Reference 2"]]


def test_a_new_picture_stands_beside_those_of_the_page() -> None:
    gallery = PictureGallery()
    shown = gallery.postprocess([*gallery.preprocess([FILE]), Image.new("RGB", SIZE)])
    assert shown[0] == FILE
    assert Image.open(shown[1]["name"]).size == SIZE


@pytest.mark.parametrize("error", [FileNotFoundError("no such file"), AssertionError("outside of allowed directories")])
def test_a_file_that_is_gone_says_which_picture(error: Exception) -> None:
    def gone(_payload: Any, _name: str) -> None:
        raise error

    picture = Unopened(FILE, gone)
    with pytest.raises(PictureError, match=r"The region mask 2 is gone: .* Drop it again\."):
        load_pictures([None, picture], 8, name="region mask")
    params = StyleParams(enabled=True, image=RED, images=[RED, picture])
    with pytest.raises(PictureError, match=r"The style reference 3 is gone"):
        take_pictures(params, never)
    with pytest.raises(PictureError, match=r"The layout picture is gone"):
        take_pictures(params.replace(images=None, layout_image=picture), never)
    assert take_pictures(params.replace(images=None, subject_image=picture), never).others == {}  # at weight 0


def test_an_address_in_a_box_is_not_fetched() -> None:
    """The page cannot make the server ask others; the API may, under the host's options."""
    with pytest.raises(PictureError, match="is an address, which is not fetched here"):
        load_picture(PictureBox().preprocess("http://localhost/a.png"), fetch=never)


def test_the_views_open_nothing_while_the_accordion_is_off() -> None:
    assert "value" not in _views(False, Unopened(FILE, never), [Unopened(FILE, never)], "Centre")
    with pytest.raises(PictureError, match=r"The style reference 2 is gone"):
        _views(True, Unopened(url(_blank(*SIZE)), lambda payload, _: payload), [Unopened(FILE, never)], "Centre")


def test_files_that_are_added_are_called_by_their_names(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.png", tmp_path / "holiday.heic"
    RED.save(good)
    bad.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40))
    added = _added([SimpleNamespace(name=str(good))], [Unopened(FILE, never)])
    assert [type(entry) for entry in added] == [Unopened, Image.Image]
    with pytest.raises(PictureError, match=r"The picture holiday\.heic is HEIC"):
        _added([SimpleNamespace(name=str(good)), SimpleNamespace(name=str(bad))], [])
