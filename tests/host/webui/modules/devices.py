"""Device and precision. CPU: fp32. CUDA: fp16 under autocast, unless ``--no-half``."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager

import torch

from modules.shared_cmd_options import cmd_opts


class NansException(Exception):  # noqa: N818  the host's name
    """The UNet or the autoencoder made something that is no picture."""


def get_optimal_device_name() -> str:
    return "cuda" if torch.cuda.is_available() and "all" not in cmd_opts.use_cpu else "cpu"


def get_optimal_device() -> torch.device:
    return torch.device(get_optimal_device_name())


def get_device_for(_task: str) -> torch.device:
    return get_optimal_device()


cpu = torch.device("cpu")
device = get_optimal_device()
dtype = dtype_unet = dtype_inference = torch.float32 if device == cpu or cmd_opts.no_half else torch.float16
dtype_vae = torch.float32
unet_needs_upcast = False
fp8 = False
torch.set_num_threads(cmd_opts.threads)


def autocast(disable: bool = False) -> AbstractContextManager[object]:
    """Mixed precision where the model is half precision."""
    if disable or dtype == torch.float32:
        return contextlib.nullcontext()
    return torch.autocast(device.type)


def without_autocast(disable: bool = False) -> AbstractContextManager[object]:
    if disable or not torch.is_autocast_enabled():
        return contextlib.nullcontext()
    return torch.autocast(device.type, enabled=False)


def torch_gc() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def test_for_nans(x: torch.Tensor, where: str) -> None:
    """Refuse ``x`` if its first element is NaN, the only one the host looks at."""
    if torch.isnan(x[(0,) * x.ndim]):
        raise NansException(f"A tensor with NaNs was produced in {where}.")
