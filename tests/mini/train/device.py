"""Modules that compute elsewhere: everything around them, and all that is random, stays on the CPU.

So a training draws the same pictures, noise and captions whatever it runs on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import torch

if TYPE_CHECKING:
    from torch import nn

    Module = TypeVar("Module", bound=nn.Module)

CPU = torch.device("cpu")


def on_device(module: Module, device: torch.device) -> Module:
    """Move ``module`` to ``device``; what it is called with follows, and its answer comes back."""
    if device == CPU:
        return module
    module.register_forward_pre_hook(
        lambda _module, args, kwargs: (_moved(args, device), _moved(kwargs, device)), with_kwargs=True
    )
    module.register_forward_hook(lambda _module, _args, answer: _moved(answer, CPU))
    return module.to(device)


def _moved(value: Any, device: torch.device) -> Any:
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, tuple):
        return tuple(_moved(entry, device) for entry in value)
    if isinstance(value, dict):
        moved = {key: _moved(entry, device) for key, entry in value.items()}
        return moved if type(value) is dict else type(value)(**moved)  # transformers' answers
    return value
