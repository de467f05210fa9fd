"""What the probe extension saw, and the rows of every UNet call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch


@dataclass
class UNetCall:
    """Arguments of one call."""

    x: torch.Tensor
    timesteps: torch.Tensor
    context: torch.Tensor
    y: torch.Tensor
    options: dict[str, Any]  # of the Forge family

    @property
    def rows(self) -> int:
        return self.x.shape[0]


@dataclass
class Recorder:
    events: list[tuple[str, dict[str, Any]]]
    failing: set[str]
    calls: list[UNetCall] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]

    def named(self, name: str) -> list[dict[str, Any]]:
        return [details for event, details in self.events if event == name]

    def clear(self) -> None:
        self.events.clear()
        self.calls.clear()

    def classify(self, call: UNetCall) -> list[str]:
        """Name each row by the step's own texts, e.g. ``["c0", "c1", "u0"]``; rows of equal texts share a name."""
        step = self.named("cfg_denoiser")[-1]["params"]
        texts = {f"c{i}": step.text_cond["vector"][i] for i in range(len(step.text_cond["vector"]))}
        if step.text_uncond is not None:
            texts |= {f"u{i}": step.text_uncond["vector"][i] for i in range(len(step.text_uncond["vector"]))}
        return [next(name for name, text in texts.items() if torch.equal(text, row)) for row in call.y]

    @classmethod
    @contextmanager
    def attached(cls) -> Iterator[Recorder]:
        """Record until the end of the block."""
        import lib_probe
        from modules import forge_models, shared

        recorder = cls(lib_probe.events, lib_probe.failing)
        recorder.clear()
        unet = forge_models.engine_of(shared.sd_model).model.diffusion_model

        def keep(_module: Any, args: tuple, kwargs: dict[str, Any]) -> None:
            recorder.events.append(("unet", {"rows": args[0].shape[0]}))
            timesteps = kwargs["timesteps"] if "timesteps" in kwargs else args[1]
            options = kwargs.get("transformer_options", {})
            recorder.calls.append(UNetCall(args[0], timesteps, kwargs["context"], kwargs["y"], options))

        handle = unet.register_forward_pre_hook(keep, with_kwargs=True)
        try:
            yield recorder
        finally:
            handle.remove()
            recorder.failing.clear()
