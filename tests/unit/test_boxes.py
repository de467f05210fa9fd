"""What the page's picture boxes hand over, and what becomes of a painted canvas."""

from __future__ import annotations

import base64
import pickle
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lib_instantstyle.errors import PictureError
from lib_instantstyle.params.style_params import StyleParams, controls
from lib_instantstyle.pictures.decoding import is_empty, load_picture, load_pictures
from lib_instantstyle.pictures.unopened import Unopened
from lib_instantstyle.webui.encoding.job_pictures import take_pictures
from lib_instantstyle.webui.page.compat import entries
from lib_instantstyle.webui.page.pictures import MaskGallery, PictureBox, PictureGallery
from lib_instantstyle.webui.page.tabs import regions_tab
from lib_instantstyle.webui.page.tabs.references_tab import _added, _views
from lib_instantstyle.webui.page.tabs.regions_tab import _applied
from tests.live.client import encoded
from tests.support.payloads import box_value, content_of, gallery_value, named

RED = Image.new("RGB", (64, 48), (255, 0, 0))
SIZE = (64, 48)


def url(image: Image.Image) -> str:
    return f"data:image/png;base64,{encoded(image)}"


def painted(box: tuple[int, int, int, int]) -> str:
    mask = Image.new("RGB", SIZE)
    ImageDraw.Draw(mask).rectangle(box, (255, 255, 255))
    return url(mask)


def applied(picture: str, number: str = "1", size: tuple[int, int] = SIZE) -> Image.Image:
    mask = _applied(number, picture, *size, [])[int(number) - 1]
    assert mask is not None
    return mask


def test_sixteen_bits_arrive_scaled_not_clipped() -> None:
    grey = Image.fromarray(np.linspace(0, 65535, 40 * 40).reshape(40, 40).astype(np.uint16))
    picture = load_picture(PictureBox().preprocess(box_value(content_of(grey))))
    assert picture is not None
    values = np.asarray(picture.image)
    assert (values.min(), values.max()) == (0, 255)
    assert values.mean() == pytest.approx(127.5, abs=1)


def test_what_is_no_picture_is_refused_by_us() -> None:
    with pytest.raises(PictureError, match="The style reference cannot be read: it is no picture"):
        load_picture(PictureBox().preprocess(box_value(b"a text that was renamed")), name="style reference")


def test_an_empty_box_is_none() -> None:
    assert PictureBox().preprocess(None) is None


def test_what_is_painted_is_the_mask() -> None:
    assert applied(painted((8, 8, 23, 31))).getbbox() == (8, 8, 24, 32)


def test_nothing_painted_is_no_mask() -> None:
    one, two = Image.new("L", SIZE, 1), Image.new("L", SIZE, 2)
    assert _applied("2", "", *SIZE, [one, two]) == [one, *[None] * 7]


def test_a_mask_that_is_black_is_refused() -> None:
    with pytest.raises(PictureError, match="black throughout"):
        applied(url(Image.new("L", SIZE)))


@pytest.mark.parametrize("level", [64, 96, 128, 255])
def test_an_uploaded_mask_may_be_uniform(level: int) -> None:
    assert applied(url(Image.new("L", SIZE, level))).getextrema() == (level, level)


def test_an_uploaded_mask_may_have_sixteen_bits() -> None:
    half = Image.fromarray(np.full((48, 64), 32896, dtype=np.uint16))
    assert applied(url(half)).getextrema() == (128, 128)


def test_a_mask_of_another_shape_is_stretched_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(regions_tab.gr, "Info", told.append)
    left = Image.new("L", (64, 64))
    left.paste(255, (0, 0, 32, 64))
    mask = applied(url(left), size=(1024, 512))
    assert (mask.size, mask.getbbox()) == ((64, 32), (0, 0, 32, 32))
    assert told == ["The mask of reference 1 was stretched to the picture's shape: it was 64×64."]


# ---- nothing is opened before a job looks at it ----


def never(*_: Any, **__: Any) -> None:
    raise AssertionError("somebody looked")


FILE = named("/tmp/gradio/gone/image.png")
SENT = {
    PictureBox: box_value(content_of(RED)),
    PictureGallery: gallery_value(FILE, [FILE, None], [FILE, "a caption"]),
    MaskGallery: gallery_value([FILE, "Reference 2"], [FILE, "no mask"]),
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
    two = gallery_value(FILE, FILE)
    assert gallery.postprocess(gallery.preprocess(two)) == two
    assert masks.postprocess(masks.preprocess(SENT[MaskGallery])) == gallery_value([FILE, "Reference 2"])


def test_a_new_picture_stands_beside_those_of_the_page() -> None:
    gallery = PictureGallery()
    kept, new = entries(gallery.postprocess([*gallery.preprocess(gallery_value(FILE)), RED]))
    assert kept == (FILE, "")
    written = new[0]["name"] if isinstance(new[0], dict) else new[0].path
    assert Image.open(written).getpixel((0, 0)) == (255, 0, 0)  # without loss


@pytest.mark.parametrize("written", [False, True])
def test_only_files_that_the_server_wrote_are_opened(
    written: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere than where gradio keeps uploads; the host knows what it wrote."""
    elsewhere = tmp_path / "image.png"
    RED.save(elsewhere)

    def opened_by_host(file: dict[str, str]) -> Image.Image:
        assert written
        return Image.open(file["name"])

    host = SimpleNamespace(check_tmp_file=lambda *_: written, demo=None, image_from_url_text=opened_by_host)
    for name in ("modules.ui_tempdir", "modules.shared", "modules.infotext_utils"):
        monkeypatch.setitem(sys.modules, name, host)
    monkeypatch.setitem(sys.modules, "modules", SimpleNamespace(ui_tempdir=host, shared=host))
    [picture] = PictureGallery().preprocess(gallery_value(named(elsewhere)))
    if written:
        assert load_picture(picture)
    else:
        with pytest.raises(PictureError, match="The style reference is gone"):
            load_picture(picture, name="style reference")


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
        _views(True, Unopened(url(RED), lambda payload, _: payload), [Unopened(FILE, never)], "Centre")


def test_files_that_are_added_are_called_by_their_names(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.png", tmp_path / "holiday.heic"
    RED.save(good)
    bad.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40))
    _, added = _added([SimpleNamespace(name=str(good))], RED, [Unopened(FILE, never)])
    assert [type(entry) for entry in added] == [Unopened, Image.Image]
    with pytest.raises(PictureError, match=r"The picture holiday\.heic is HEIC"):
        _added([SimpleNamespace(name=str(good)), SimpleNamespace(name=str(bad))], None, [])
