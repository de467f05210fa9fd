"""What differs by WebUI: files are left alone, a model may come with the first job, passes are split or announced twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib_instantstyle.webui.extension import extension
from lib_instantstyle.webui.setup.folders import search_folders
from tests.host.doors import Api
from tests.host.launcher import EXTENSION_ROOT
from tests.lifecycle.conftest import Studio
from tests.live.client import encoded
from tests.tiny import pictures

pytestmark = [pytest.mark.each_host, pytest.mark.usefixtures("unchanged")]
FAMILY = pytest.mark.flavours("forge", "reforge", "classic")
HIRES = {"enable_hr": True, "hr_scale": 2, "hr_upscaler": "Latent", "denoising_strength": 0.6}
TILES = EXTENSION_ROOT / "tests" / "host" / "tiles"


def difference(ours: list[bytes], theirs: list[bytes]) -> int:
    return max(abs(a - b) for a, b in zip(b"".join(ours), b"".join(theirs), strict=True))


# ---- files ----


@pytest.fixture
def junk(studio: Studio, tmp_path: Path) -> Iterator[dict[Path, int]]:
    """Files that are no models, of every name that is looked at, in every folder that is searched."""
    studio.host.shared.opts.data["instantstyle_model_folders"] = str(tmp_path)
    folders = search_folders()
    tops = {Path(folder) for folder in (*folders.chosen, *folders.usual) if Path(folder).is_dir()}
    places = tops | {top / "clip_vision" for top in tops}
    made = [place for place in places if not place.is_dir()]
    files = [place / f"junk{suffix}" for place in places for suffix in (".bin", ".pt", ".pth", ".ckpt", ".safetensors")]
    for place in made:
        place.mkdir()
    for number, file in enumerate(files):
        file.write_bytes(f"{number}: neither a picture nor a model".encode())
    yield {file: file.stat().st_mtime_ns for file in files}
    for place in places:
        for file in place.glob("junk.*"):
            file.unlink()
    for place in made:
        place.rmdir()


def test_looking_leaves_every_file_where_it_is(studio: Studio, junk: dict[Path, int]) -> None:
    api = Api()
    for path in ("adapters", "preflight", "models/fetch"):
        assert api.request("GET", f"/instantstyle/{path}").status_code == 200
    assert api.request("POST", "/instantstyle/embed", {"image": studio.reference}).status_code == 200
    for suffix in ("bin", "safetensors"):
        assert api.txt2img(studio.request(adapter=f"junk.{suffix}")).status_code == 422
    studio.styled()
    assert {file: file.stat().st_mtime_ns for file in junk if file.exists()} == junk
    assert not [file for place in {file.parent for file in junk} for file in place.glob("*.corrupted")]


def test_a_cached_embedding_that_is_gone_is_made_again(studio: Studio) -> None:
    first = studio.styled()
    studio.forget()
    assert studio.styled() == first


# ---- models ----


@pytest.mark.flavours("forge")
def test_before_the_first_job_nothing_is_there_and_nothing_is_loaded(studio: Studio) -> None:
    studio.forget()
    studio.host.forget_model()
    told = extension().readiness.report({"content": "a cat"})
    assert told["ready"]
    assert extension().host.loaded_unet() is None
    assert extension().host.text_width() is None
    assert studio.host.engines() == []


@pytest.mark.flavours("forge")
def test_the_first_job_may_be_a_styled_one(studio: Studio) -> None:
    expected = studio.styled({"content": "a cat"})
    studio.forget()
    studio.host.forget_model()
    assert studio.styled({"content": "a cat"}) == expected


@pytest.mark.flavours("forge")
def test_contents_are_measured_before_the_first_job(studio: Studio) -> None:
    body = {"image": studio.reference, "content": "a cat"}
    expected = Api().request("POST", "/instantstyle/embed", body).json()
    studio.host.forget_model()
    answer = Api().request("POST", "/instantstyle/embed", body)
    assert answer.status_code == 200, answer.text
    assert answer.json() == expected


def test_notes_of_contents_stay_out_of_infotexts(studio: Studio) -> None:
    """On Forge they wait beside the model for the next prompt that is encoded."""
    studio.host.shared.opts.data["emphasis"] = "None"
    for fields in ({"n_iter": 2, "prompt": ["a", "b"]}, HIRES | {"hr_prompt": "a tree"}):
        texts = studio.host.txt2img(studio.request(content="((a cat))"), **fields).infotexts
        assert "Emphasis" not in "".join(texts)
        assert "Emphasis" not in studio.host.txt2img(prompt=f"next {len(texts)}").infotexts[0]


# ---- passes ----


@pytest.mark.parametrize("cfg", [7.0, 1.0])
@pytest.mark.parametrize("passes", ["both", "first pass", "hires pass"])
def test_a_hires_pass_is_styled_once(studio: Studio, passes: str, cfg: float) -> None:
    plain = studio.plain(cfg_scale=cfg, **HIRES)
    styled = studio.styled({"passes": passes}, cfg_scale=cfg, **HIRES)
    assert styled != plain
    assert studio.styled({"passes": passes}, cfg_scale=cfg, **HIRES) == styled
    assert studio.plain(cfg_scale=cfg, **HIRES) == plain


def test_an_announced_pass_that_never_begins_leaves_nothing(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    from modules.sd_samplers_kdiffusion import KDiffusionSampler

    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("on purpose")

    with monkeypatch.context() as patch:
        patch.setattr(KDiffusionSampler, "sample_img2img", fail)
        with pytest.raises(RuntimeError, match="on purpose"):
            studio.styled(**HIRES)
    assert studio.hooks() == 0


JOBS: dict[str, dict[str, Any]] = {
    "one": {},
    "batch": {"batch_size": 2},
    "parts": {"prompt": "a AND b", "batch_size": 2},
    "cfg 1": {"cfg_scale": 1.0},
    "hires": HIRES,
}


@pytest.mark.parametrize("fields", JOBS.values(), ids=JOBS)
def test_splitting_a_step_changes_no_picture(studio: Studio, fields: dict[str, Any]) -> None:
    whole = studio.styled(**fields)
    studio.host.split_steps()
    split = studio.styled(**fields)
    studio.host.split_steps(False)
    assert difference(split, whole) <= 2
    assert difference(whole, studio.plain(**fields)) > 2


@FAMILY
@pytest.mark.parametrize("fields", JOBS.values(), ids=JOBS)
def test_tiles_change_no_picture(studio: Studio, fields: dict[str, Any]) -> None:
    studio.host.use_extensions(EXTENSION_ROOT, TILES)
    try:
        whole = studio.styled({"preset": "style + layout"}, **fields)
        request = {**studio.request(preset="style + layout"), "Tiles": [5, 2]}
        tiled = [image.tobytes() for image in studio.host.txt2img(request, **fields).images]
        assert difference(tiled, whole) <= 2
    finally:
        studio.host.use_extensions(EXTENSION_ROOT)


def test_pictures_of_a_split_batch_keep_their_own_references(studio: Studio) -> None:
    others = [encoded(pictures.sunset())]
    style = {"images": others, "combine": "one per picture"}
    whole = studio.styled(style, batch_size=2)
    studio.host.split_steps()
    split = studio.styled(style, batch_size=2)
    studio.host.split_steps(False)
    assert difference(split, whole) <= 2
    assert whole[1] != studio.styled(batch_size=2)[1]
