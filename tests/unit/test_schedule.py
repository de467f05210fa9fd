import pytest
import torch

from lib_instantstyle.method.schedule import Schedule
from lib_instantstyle.params.curve import Shape


def test_the_whole_schedule_is_constant() -> None:
    assert Schedule().is_constant
    assert not Schedule(0.0, 0.99).is_constant


@pytest.mark.parametrize("timestep", [0.0, 1.0, 249.75, 500.0, 998.6, 999.0])
def test_a_window_counts_noise_level(timestep: float) -> None:
    fraction = 1 - timestep / 999
    strength = Schedule(0.2, 0.7).strength(torch.tensor([timestep]))
    assert strength.shape == (1, 1, 1)
    assert strength.item() == (1.0 if 0.2 <= fraction <= 0.7 else 0.0)


def test_rows_may_be_at_different_timesteps() -> None:
    strengths = Schedule(0.0, 0.5).strength(torch.tensor([999, 500, 498, 0]))
    assert strengths.flatten().tolist() == [1.0, 1.0, 0.0, 0.0]


def test_both_ends_belong_to_the_window() -> None:
    strengths = Schedule(0.0, 1.0).strength(torch.tensor([999.0, 0.0]))
    assert strengths.flatten().tolist() == [1.0, 1.0]
    assert Schedule(0.999, 1.0).strength(torch.tensor([0.0])).item() == 1.0


@pytest.mark.parametrize(("timestep", "nearest"), [(498.4, 498), (498.6, 499)])
def test_a_fractional_timestep_is_rounded_to_the_nearest(timestep: float, nearest: int) -> None:
    strength = Schedule(curve=Shape.FADE_OUT).strength(torch.tensor([timestep]))
    assert strength.item() == pytest.approx(nearest / 999, abs=1e-6)
