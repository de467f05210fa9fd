"""Pictures from earlier: found by the beginnings of their hashes, shown by their thumbnails, never confused."""

from __future__ import annotations

import base64
import io
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_instantstyle.errors import PictureError
from lib_instantstyle.params.picture_hashes import SHORT, parse_picture_hashes
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.webui.extension import extension
from lib_instantstyle.webui.setup.folders import cache_folder
from tests.lifecycle.conftest import Studio
from tests.live.client import encoded
from tests.tiny import pictures

MASK = encoded(Image.new("RGB", (64, 64), "white"))


def written(infotext: str) -> str:
    found = re.search(r'InstantStyle reference: ("[^"]+"|[^,\n]+)', infotext)
    assert found
    return found[1].strip('"')


def section(studio: Studio) -> Any:
    """The pictures from earlier in txt2img, as the page was built."""
    owners = (getattr(event.fn, "__self__", None) for event in studio.host.shared.demo.fns)
    return next(owner for owner in owners if type(owner).__name__ == "EarlierPictures")


def test_the_infotext_has_twelve_digits_and_they_bring_the_picture_back(studio: Studio) -> None:
    style = {"images": [encoded(pictures.dots())], "layout_image": encoded(pictures.sunset()), "masks": [MASK]}
    style["preset"] = "style + layout"
    first = studio.host.txt2img(studio.request(**style))
    text = written(first.infotexts[0])
    assert [len(digest) for _, digest in parse_picture_hashes(text).named()] == [SHORT] * 4
    request = {"InstantStyle": [{"enabled": True, "preset": "style + layout", "reference": text}]}
    again = studio.host.txt2img(request)
    assert again.infotexts == first.infotexts
    assert [image.tobytes() for image in again.images] == [image.tobytes() for image in first.images]


def test_whole_hashes_of_older_pictures_are_read(studio: Studio) -> None:
    known = extension().builder.from_accordion(StyleParams(image=studio.reference)).hashes
    assert known
    assert len(known.text()) == 64
    assert studio.styled({"image": None, "reference": known.text()}) == studio.styled()


@pytest.mark.parametrize("kind", ["picture", "mask"])
def test_a_beginning_that_two_share_is_refused(studio: Studio, kind: str) -> None:
    studio.forget()  # a latent of the picture would be kept beside its embedding
    params = StyleParams(image=studio.reference, masks=[MASK])
    known = extension().builder.from_accordion(params).hashes
    assert known
    digest = known.style[0] if kind == "picture" else known.masks[0]
    (kept,) = cache_folder().glob(f"{digest}.*.safetensors")
    other = f"{digest[:SHORT]}{digest[SHORT:][::-1]}"
    twin = kept.with_name(kept.name.replace(digest, other))
    shutil.copy(kept, twin)
    try:
        with pytest.raises(PictureError, match=f"begin with {digest[:SHORT]}.*could be any of them.*{other}"):
            extension().builder.from_accordion(StyleParams(reference=known.text(SHORT)))
        assert extension().builder.from_accordion(StyleParams(reference=known.text())).hashes == known
    finally:
        twin.unlink()


def test_they_are_shown_by_their_thumbnails_and_hidden_behind_new_ones(studio: Studio) -> None:
    params = StyleParams(image=encoded(pictures.stripes().resize((300, 150))), masks=[MASK])
    known = extension().builder.from_accordion(params).hashes
    assert known
    draw = section(studio)._drawn
    shown = draw("", [], known.text(SHORT), "")
    assert shown["visible"]
    first, mask = (
        Image.open(io.BytesIO(base64.b64decode(content))) for content in re.findall(r"base64,([^']+)'", shown["value"])
    )
    assert first.size == (96, 48)
    assert mask.size == (96, 96)
    assert not re.search(known.style[0][:SHORT], shown["value"])
    assert not draw("given", [], known.text(SHORT), "")["visible"]
    assert not draw("", [], known.text(SHORT), "a saved style")["visible"]
    assert not draw("", ["another"], known.text(SHORT), "")["visible"]
    assert not draw("", [], "", "")["visible"]
    assert "<i>?</i>" in draw("", [], "ab" * 6, "")["value"]
    assert "is no hash of a picture" in draw("", [], "nonsense", "")["value"]


def test_the_input_of_img2img_leaves_no_thumbnail(studio: Studio) -> None:
    studio.forget()
    params = StyleParams(image=studio.reference, subject_weight=0.2)
    extension().builder.from_accordion(params, pictures.dots())
    assert len(list(cache_folder().glob("*.webp"))) == 1


def test_the_arrow_reads_what_acted(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    last = Path(studio.host.shared.cmd_opts.data_dir) / "params.txt"
    processed = studio.host.txt2img(studio.request(content="a cat"), n_iter=2)
    assert last.read_text(encoding="utf-8") == processed.infotexts[processed.index_of_first_image]
    assert "InstantStyle content: a cat" in last.read_text(encoding="utf-8")
    studio.plain()
    assert "InstantStyle" not in last.read_text(encoding="utf-8")
    monkeypatch.setattr(studio.host.shared.cmd_opts, "no_prompt_history", True, raising=False)
    studio.styled()
    assert "InstantStyle" not in last.read_text(encoding="utf-8")
