"""The model changes in the middle of a job: in place, anew, or back to one that stayed in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lib_instantstyle.errors import InstantStyleError
from tests.host.doors import Api
from tests.lifecycle.conftest import Studio
from tests.lifecycle.test_faults import DeliberateError, boom

REFINER = {"refiner_switch_at": 0.5, "steps": 4}
HIRES = {"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Latent", "denoising_strength": 0.6}
SWITCHES: dict[str, dict[str, Any]] = {
    "refiner": {**REFINER, "refiner_checkpoint": "tiny-refiner"},
    "refiner of the same kind": {**REFINER, "refiner_checkpoint": "tiny-sdxl-b"},
    "hires checkpoint": {**HIRES, "hr_checkpoint_name": "tiny-sdxl-b"},
    "hires checkpoint and refiner": {
        **HIRES, **REFINER, "hr_checkpoint_name": "tiny-sdxl-b", "refiner_checkpoint": "tiny-refiner"
    },
    "checkpoint of one job": {"override_settings": {"sd_model_checkpoint": "tiny-sdxl-b"}},
}  # fmt: skip
pytestmark = pytest.mark.usefixtures("_room", "unchanged")


@pytest.fixture(params=[1, 3])
def _room(request: pytest.FixtureRequest, studio: Studio) -> Iterator[None]:
    """Let so many checkpoints stay in memory, and one in the end."""
    from modules import sd_models

    studio.host.shared.opts.data["sd_checkpoints_limit"] = request.param
    yield
    del sd_models.model_data.loaded_sd_models[1:]  # the current one comes first


@pytest.mark.parametrize("fields", SWITCHES.values(), ids=SWITCHES)
def test_a_switch_leaves_no_hook_on_any_model(studio: Studio, fields: dict[str, Any]) -> None:
    styled = studio.styled(n_iter=2, **fields)
    assert studio.hooks() == 0
    assert styled[0] != studio.plain(**fields)[0]


@contextmanager
def call_that_fails(studio: Studio, number: int) -> Iterator[None]:
    """Let the ``number``-th call of any UNet raise; a hook would stay on the one that is exchanged."""
    kind, count = type(studio.unet), 0
    forward = kind.forward

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal count
        count += 1
        return boom() if count == number else forward(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "forward", counted)
        yield


@pytest.mark.parametrize("fields", SWITCHES.values(), ids=SWITCHES)
def test_an_error_after_the_switch_leaves_no_hook_either(studio: Studio, fields: dict[str, Any]) -> None:
    steps = fields.get("steps", 2)
    with call_that_fails(studio, steps), pytest.raises(DeliberateError):
        studio.styled(**fields)
    assert studio.hooks() == 0


def test_a_plot_over_checkpoints(studio: Studio) -> None:
    """A cell whose model cannot be styled stays empty; the others are what they are alone."""
    api, style = Api(), studio.request()
    checkpoints = ["tiny-sdxl-b", "tiny-refiner", "tiny-sdxl", "tiny-sdxl-b"]
    axes = [option.label for option in _plot(studio).current_axis_options]
    nothing: list[Any] = [0, "", []]
    arguments = [axes.index("Checkpoint name"), "", checkpoints, *nothing, *nothing,
                 False, True, False, True, False, False, False, 0, False]  # fmt: skip
    answer = api.txt2img(style, script_name="x/y/z plot", script_args=arguments)
    assert answer.status_code == 200, answer.text
    assert studio.hooks() == 0
    _grid, first, empty, second, third = answer.json()["images"]
    alone = [_alone(api, style, checkpoint) for checkpoint in ("tiny-sdxl-b", "tiny-sdxl")]
    assert [first, second, third] == [*alone, alone[0]]
    assert empty not in alone
    with pytest.raises(InstantStyleError, match="InstantStyle needs an SDXL base model"):
        studio.styled(override_settings={"sd_model_checkpoint": "tiny-refiner"})


def _plot(studio: Studio) -> Any:
    return next(script for script in studio.host.runner().selectable_scripts if script.title() == "X/Y/Z plot")


def _alone(api: Api, style: Any, checkpoint: str) -> str:
    answer = api.txt2img(style, override_settings={"sd_model_checkpoint": checkpoint})
    assert answer.status_code == 200, answer.text
    return answer.json()["images"][0]
