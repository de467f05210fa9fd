"""The one training loop: seeded, resumable, with a moving average of the weights."""

from __future__ import annotations

import csv
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file, save_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import nn

_SAVE_EVERY = 60.0  # seconds
_LOG_EVERY = 50  # steps


@dataclass(frozen=True)
class Plan:
    """How long and how fast a part learns.

    Attributes:
        name: Of the part; its files are called so.
        steps: Optimiser steps.
        rate: Highest learning rate; a short warm-up leads to it and a cosine to 3 % of it.
        average: Decay of the moving average of the weights, which is what is kept; 0 keeps the last weights.
    """

    name: str
    steps: int
    rate: float
    average: float = 0.0

    def rate_at(self, step: int) -> float:
        """Return the learning rate of ``step``."""
        warm = min(1.0, (step + 1) / 100)
        return self.rate * warm * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * step / self.steps)))


def fit(
    plan: Plan, module: nn.Module, loss: Callable[[torch.Generator], torch.Tensor], folder: Path, seed: int = 0
) -> None:
    """Train ``module`` to lower ``loss`` and leave the result in it and in ``folder``.

    Every step draws from a generator seeded with its own number, so that a run that was broken off goes on as if
    it had not been. A part that is finished is read instead.

    Args:
        plan: Steps and rates.
        module: What is trained; frozen parameters stay.
        loss: Draws a batch from the generator and returns the scalar loss.
        folder: Where states, curves and results are written.
        seed: Of the whole training.
    """
    result = folder / f"{plan.name}.safetensors"
    if result.exists():
        module.load_state_dict(load_file(str(result)))
        return
    run = _Run(plan, module, folder)
    for step in range(run.step, plan.steps):
        run.learn(loss(torch.Generator().manual_seed(seed * 1_000_003 + step)))
    run.finish(result)


class _Run:
    def __init__(self, plan: Plan, module: nn.Module, folder: Path) -> None:
        self.plan, self.module = plan, module
        self.step, self._seconds = 0, 0.0
        self._parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
        self._optimizer = torch.optim.AdamW(self._parameters, plan.rate, betas=(0.9, 0.98), weight_decay=0.01)
        self._average = [parameter.detach().clone() for parameter in self._parameters] if plan.average else []
        self._state = folder / f"{plan.name}.state"
        self._curve = folder / f"{plan.name}.csv"
        self._losses: list[float] = []
        self._resume()
        self._clock = self._saved = time.monotonic()

    def learn(self, loss: torch.Tensor) -> None:
        """Take one step along the gradient of ``loss``."""
        for group in self._optimizer.param_groups:
            group["lr"] = self.plan.rate_at(self.step)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._parameters, 1.0)
        self._optimizer.step()
        self.step += 1
        if self._average:
            decay = min(self.plan.average, (1 + self.step) / (10 + self.step))
            torch._foreach_lerp_(self._average, [p.detach() for p in self._parameters], 1 - decay)
        self._losses.append(float(loss.detach()))
        if self.step % _LOG_EVERY == 0:
            self._log()
        if time.monotonic() - self._saved > _SAVE_EVERY:
            self._save()

    def finish(self, result: Path) -> None:
        """Keep the averaged weights and forget the state."""
        with torch.no_grad():
            for parameter, average in zip(self._parameters, self._average, strict=bool(self._average)):
                parameter.copy_(average)
        save_file({key: value.contiguous() for key, value in self.module.state_dict().items()}, str(result))
        self._state.unlink(missing_ok=True)

    def _log(self) -> None:
        seconds = self._seconds + time.monotonic() - self._clock
        mean = sum(self._losses) / len(self._losses)
        self._losses.clear()
        with self._curve.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow([self.step, f"{mean:.5f}", f"{seconds:.0f}"])
        print(f"{self.plan.name}: step {self.step} of {self.plan.steps}, loss {mean:.4f}, {seconds:.0f} s", flush=True)

    def _save(self) -> None:
        state = {
            "step": self.step,
            "seconds": self._seconds + time.monotonic() - self._clock,
            "module": self.module.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "average": self._average,
        }
        partial = self._state.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self._state)
        self._saved = time.monotonic()

    def _resume(self) -> None:
        if not self._state.exists():
            return
        state = torch.load(self._state, weights_only=True)
        self.step, self._seconds, self._average = state["step"], state["seconds"], state["average"]
        self.module.load_state_dict(state["module"])
        self._optimizer.load_state_dict(state["optimizer"])
