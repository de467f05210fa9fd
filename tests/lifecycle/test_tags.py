"""Saved styles in prompts: each picture has the styles that its own prompt names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.webui.extension import extension
from lib_instantstyle.webui.styles.saving import save_style
from tests.lifecycle.conftest import Studio
from tests.live.client import encoded
from tests.tiny import pictures

HIRES = {"enable_hr": True, "hr_scale": 2, "hr_upscaler": "Latent", "denoising_strength": 0.6}


@pytest.fixture
def ink(studio: Studio) -> Iterator[str]:
    yield from saved("tags ink", studio.reference, preset="all blocks")


@pytest.fixture
def oil(studio: Studio) -> Iterator[str]:
    yield from saved("tags oil", encoded(pictures.sunset()), preset="all blocks")


def saved(name: str, image: str, **values: Any) -> Iterator[str]:
    save_style(name, StyleParams(enabled=True, image=image, **values), extension().builder, replace=True)
    yield name
    extension().library.delete(name)


def made(processed: Any) -> tuple[list[bytes], list[str]]:
    """The pictures of a job and the styles that their infotexts name."""
    named = [text.partition("InstantStyle styles: ")[2].strip('"') for text in processed.infotexts]
    return [image.tobytes() for image in processed.images], named


def test_each_picture_of_a_batch_has_its_own(studio: Studio, ink: str, oil: str) -> None:
    def batch(*tags: str) -> tuple[list[bytes], list[str]]:
        prompts = [f"a house{f' <instantstyle:{tag}:1>' if tag else ''}" for tag in tags]
        return made(studio.host.txt2img(prompt=prompts, batch_size=len(tags)))

    mixed, named = batch(ink, "", oil)
    assert mixed == [batch(ink, ink, ink)[0][0], batch("", "", "")[0][1], batch(oil, oil, oil)[0][2]]
    assert [text.partition(":")[0] for text in named] == [ink, "", oil]


def test_each_batch_of_a_job_too(studio: Studio, ink: str) -> None:
    prompts = ["a house", f"a house <instantstyle:{ink}:1>"]
    images, named = made(studio.host.txt2img(prompt=prompts, n_iter=2))
    assert images[0] == made(studio.host.txt2img(prompt=["a house"] * 2, n_iter=2))[0][0]
    assert images[1] == made(studio.host.txt2img(prompt=[prompts[1]] * 2, n_iter=2))[0][1]
    assert [bool(text) for text in named] == [False, True]


@pytest.mark.parametrize("grid", [False, True])
def test_every_picture_of_several_batches_names_its_own(studio: Studio, ink: str, oil: str, grid: bool) -> None:
    """The host counts pictures from the batch's first for their own infotexts, from the job's for the grid's."""
    tags = [ink, oil, oil, ink, "", oil]
    prompts = [f"a house{f' <instantstyle:{tag}:1>' if tag else ''}" for tag in tags]
    studio.host.shared.opts.data["return_grid"] = grid
    processed = studio.host.txt2img(prompt=prompts, batch_size=2, n_iter=3, do_not_save_grid=not grid)
    assert [text.partition(":")[0] for text in made(processed)[1]] == [ink] * grid + tags


def test_an_answer_of_the_api_names_all_of_them(studio: Studio, ink: str, oil: str) -> None:
    """Forge Classic makes JSON of a picture's parameters as they are."""
    prompts = [f"a house <instantstyle:{tag}:1>" for tag in (ink, oil)]
    answer = json.loads(studio.host.txt2img(prompt=prompts, n_iter=2).js())
    named = answer["extra_generation_params"]["InstantStyle styles"].split(", ")
    assert [text.partition(":")[0] for text in named] == [ink, oil]


@pytest.mark.parametrize("where", ["prompt", "hr_prompt"])
def test_each_batch_has_its_own_tags_in_the_hires_pass(studio: Studio, ink: str, oil: str, where: str) -> None:
    """lllyasviel/stable-diffusion-webui-forge#1330, adieyal/sd-dynamic-prompts#805."""

    def job(*tags: str) -> tuple[list[bytes], list[str]]:
        prompts = [f"a house <instantstyle:{tag}:1>" for tag in tags]
        return made(studio.host.txt2img(**{"prompt": ["a house"] * 2, where: prompts}, n_iter=2, **HIRES))

    mixed, named = job(ink, oil)
    assert mixed == [job(ink, ink)[0][0], job(oil, oil)[0][1]]
    assert [ink in text for text in named] == [True, False]
    assert [oil in text for text in named] == [False, True]


def test_the_weight_in_the_infotext_is_the_one_that_acted(studio: Studio, ink: str) -> None:
    """adieyal/sd-dynamic-prompts#357."""

    def batch(*weights: float) -> tuple[list[bytes], list[str]]:
        prompts = [f"a house <instantstyle:{ink}:{weight}>" for weight in weights]
        processed = studio.host.txt2img(prompt=prompts, batch_size=len(weights))
        return made(processed)[0], [text.splitlines()[0] for text in processed.infotexts]

    mixed, prompts = batch(0.9, 0.1)
    assert mixed == [batch(0.9, 0.9)[0][0], batch(0.1, 0.1)[0][1]]
    assert [f"<instantstyle:{ink}:{weight}>" in prompt for prompt, weight in zip(prompts, (0.9, 0.1), strict=True)] == [True] * 2  # fmt: skip


def test_the_accordion_s_style_is_for_all(studio: Studio, ink: str) -> None:
    prompts = [f"a house <instantstyle:{ink}:1>", "a house"]
    images, named = made(studio.host.txt2img(studio.request(), prompt=prompts, batch_size=2))
    assert images[1] == made(studio.host.txt2img(studio.request(), prompt=["a house"] * 2, batch_size=2))[0][1]
    assert images[0] == made(studio.host.txt2img(studio.request(), prompt=[prompts[0]] * 2, batch_size=2))[0][0]
    assert [bool(text) for text in named] == [True, False]


def test_both_passes_are_recorded(studio: Studio, ink: str, oil: str) -> None:
    fields = {"prompt": f"a house <instantstyle:{ink}:1>", "hr_prompt": f"a house <instantstyle:{oil}:1>", **HIRES}
    images, (named,) = made(studio.host.txt2img(**fields))
    assert ink in named
    assert oil in named
    assert images != made(studio.host.txt2img(**{**fields, "hr_prompt": ""}))[0]


def test_tags_of_one_picture_reach_its_hires_pass_alone(studio: Studio, ink: str) -> None:
    prompts = [f"a house <instantstyle:{ink}:1>", "a house"]
    mixed, _ = made(studio.host.txt2img(prompt=prompts, batch_size=2, **HIRES))
    assert mixed[1] == made(studio.host.txt2img(prompt=["a house"] * 2, batch_size=2, **HIRES))[0][1]
    assert mixed[0] == made(studio.host.txt2img(prompt=[prompts[0]] * 2, batch_size=2, **HIRES))[0][0]


def test_what_is_wrong_with_any_picture_s_tag_stops_the_job(studio: Studio) -> None:
    with pytest.raises(Exception, match="no saved style 'nobody'"):
        studio.host.txt2img(prompt=["a house", "a house <instantstyle:nobody:1>"], batch_size=2)
    with pytest.raises(Exception, match="not understood"):
        studio.host.txt2img(prompt=["a house", "a house <instantstyle:nobody:much>"], batch_size=2)
