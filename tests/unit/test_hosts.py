"""What the hosts have in common: one denoising loop is wrapped, once."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from torch import nn

from lib_instantstyle.errors import UnsupportedModelError
from lib_instantstyle.unet.sites import enumerate_sites
from lib_instantstyle.webui.hosts.a1111 import A1111Host
from lib_instantstyle.webui.hosts.detect import detect_host
from lib_instantstyle.webui.hosts.forge import ForgeHost
from lib_instantstyle.webui.hosts.host import Host


class Sampler:
    """Runs a denoising loop as the hosts' samplers do."""

    def launch_sampling(self, steps: int, func: Any) -> Any:
        return func(steps)


class Scopes:
    """Counts which scopes are open while a loop runs."""

    def __init__(self) -> None:
        self.open: list[str] = []

    def __call__(self, name: str) -> Any:
        @contextlib.contextmanager
        def scope() -> Iterator[None]:
            self.open.append(name)
            yield
            self.open.remove(name)

        return scope

    def during(self, sampler: Sampler) -> list[str]:
        return list(sampler.launch_sampling(1, lambda _steps: list(self.open)))


@pytest.fixture(params=[A1111Host, ForgeHost])
def host(request: pytest.FixtureRequest) -> Host:
    made: Host = request.param()
    return made


def test_the_loop_runs_in_the_scope_once(host: Host) -> None:
    p, scopes = SimpleNamespace(sampler=Sampler()), Scopes()
    host.wrap_next_sampling(p, scopes("style"))
    assert [scopes.during(p.sampler) for _ in range(2)] == [["style"], []]
    assert not vars(p.sampler)


def test_a_hook_that_comes_twice_styles_once(host: Host) -> None:
    """Forge and Neo call it twice before a hires pass."""
    p, scopes = SimpleNamespace(sampler=Sampler()), Scopes()
    for name in ("first", "second"):
        host.wrap_next_sampling(p, scopes(name))
    assert [scopes.during(p.sampler) for _ in range(2)] == [["second"], []]
    assert not vars(p.sampler)


def test_a_wrapper_between_ours_stays(host: Host) -> None:
    p, scopes = SimpleNamespace(sampler=Sampler()), Scopes()
    host.wrap_next_sampling(p, scopes("first"))
    inner, seen = p.sampler.launch_sampling, []
    p.sampler.launch_sampling = lambda steps, func: (seen.append(steps), inner(steps, func))[1]
    host.wrap_next_sampling(p, scopes("second"))
    assert [scopes.during(p.sampler) for _ in range(2)] == [["second"], []]
    assert seen == [1, 1]


def test_a_loop_that_fails_leaves_nothing(host: Host) -> None:
    p, scopes = SimpleNamespace(sampler=Sampler()), Scopes()
    host.wrap_next_sampling(p, scopes("style"))
    with pytest.raises(ZeroDivisionError):
        p.sampler.launch_sampling(1, lambda steps: steps / 0)
    assert not vars(p.sampler)


def test_the_host_is_chosen_by_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(detect_host(), A1111Host)
    package = ModuleType("modules_forge")
    package.__spec__ = importlib.util.spec_from_loader("modules_forge", None)
    monkeypatch.setitem(sys.modules, "modules_forge", package)
    assert isinstance(detect_host(), ForgeHost)


@pytest.mark.parametrize(
    ("denoiser", "name"),
    [
        ("IntegratedFluxTransformer2DModel", "like Flux "),
        ("IntegratedChromaTransformer2DModel", "like Chroma "),
        ("SD3Transformer2DModel", "like Stable Diffusion 3 "),
        ("OpenAISignatureMMDITWrapper", "like Stable Diffusion 3 "),
        ("QwenImageTransformer2DModel", "like another model, QwenImageTransformer2DModel "),
    ],
)
def test_transformers_are_refused_by_name(denoiser: str, name: str) -> None:
    model = type(denoiser, (nn.Module,), {})()
    with pytest.raises(UnsupportedModelError, match=name):
        enumerate_sites(model)
