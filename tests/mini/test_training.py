"""The training command, a few steps of each part: it runs through, goes on where it was, and draws the same anywhere."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import pytest
import torch

from tests.mini.assemble import WEIGHTS
from tests.mini.train import __main__ as training
from tests.mini.train import adapter, autoencoder, clip, judge, loop, unet
from tests.mini.train.curves import draw_curves

PLANS = {autoencoder: ("_HALF", "_WHOLE"), clip: ("_TEXT", "_VISION"), unet: ("_PLAN",), adapter: ("_PLAN",)}
CPU = torch.device("cpu")
OTHER = torch.device("cpu", 0)  # counts as another device, so that everything is moved there and back


@pytest.fixture(autouse=True)
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, names in {**PLANS, judge: ("_PLAN",)}.items():
        for name in names:
            monkeypatch.setattr(module, name, dataclasses.replace(getattr(module, name), steps=2))
    monkeypatch.setattr(unet, "PICTURES", 32)
    monkeypatch.setattr(autoencoder, "_STATISTICS", 16)
    monkeypatch.setattr(loop, "_LOG_EVERY", 1)
    for module, name in (
        (unet, "BATCH"),
        (adapter, "BATCH"),
        (clip, "_BATCH"),
        (judge, "_BATCH"),
        (autoencoder, "_BATCH"),
    ):
        monkeypatch.setattr(module, name, 4)


def test_it_makes_the_files_that_are_committed_and_the_same_on_any_device(tmp_path: Path) -> None:
    answers = []
    for name, device in (("here", CPU), ("there", OTHER)):
        (tmp_path / name).mkdir()
        answers.append(training.train(tmp_path / name, device))
    here, there = answers
    for part, tensors in here.items():
        assert all(torch.equal(tensor, there[part][key]) for key, tensor in tensors.items()), part
    training.export(here, tmp_path / "weights")
    assert _sizes(tmp_path / "weights") == _sizes(WEIGHTS)
    draw_curves(tmp_path / "here", tmp_path / "curves.png")
    assert (tmp_path / "curves.png").exists()


def _sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir()}


def test_a_run_that_was_broken_off_goes_on_as_if_it_had_not_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_SAVE_EVERY", 0.0)
    whole, broken, resumed = (_fitted(tmp_path / name, breaks) for name, breaks in (("a", 9), ("b", 3), ("b", 9)))
    assert not torch.equal(broken, whole)
    assert torch.equal(resumed, whole)


def _fitted(folder: Path, breaks: int) -> torch.Tensor:
    """Train a layer for five steps, unless the power fails in step ``breaks``."""
    folder.mkdir(exist_ok=True)
    torch.manual_seed(0)
    layer, taken = torch.nn.Linear(4, 4), []

    def loss(generator: torch.Generator) -> torch.Tensor:
        taken.append(True)
        if len(taken) == breaks:
            raise KeyboardInterrupt
        return layer(torch.randn(8, 4, generator=generator)).square().mean()

    with contextlib.suppress(KeyboardInterrupt):
        loop.fit(loop.Plan("layer", steps=5, rate=1e-2, average=0.9), layer, loss, folder)
    return layer.weight.detach()
