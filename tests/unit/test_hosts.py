"""What the hosts have in common: one denoising loop is wrapped, once, and no weight of the UNet is read."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from lib_instantstyle.errors import UnsupportedModelError
from lib_instantstyle.method.schedule import Schedule
from lib_instantstyle.models.adapter import Adapter
from lib_instantstyle.params.blocks import STYLE
from lib_instantstyle.unet.call import UNetCall
from lib_instantstyle.unet.injection import Injection
from lib_instantstyle.unet.plan import Source, check_fits, image_terms
from lib_instantstyle.unet.rows import chunk_rows
from lib_instantstyle.unet.sites import enumerate_sites
from lib_instantstyle.unet.terms import ScheduledTerms
from lib_instantstyle.webui.hosts.a1111 import A1111Host
from lib_instantstyle.webui.hosts.detect import detect_host
from lib_instantstyle.webui.hosts.forge import ForgeHost
from lib_instantstyle.webui.hosts.host import Host
from tests.support.unets import CONTEXT, SmallUNet


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


class SealedLinear(nn.Module):
    """A layer as Forge loads those in fp8, nf4 or GGUF: it can be run, and its weight cannot be read.

    In fp8 it tells its widths, in nf4 and GGUF not even these.
    """

    def __init__(self, linear: nn.Linear, *, tells_widths: bool) -> None:
        super().__init__()
        if tells_widths:
            self.in_features, self.out_features = linear.in_features, linear.out_features
        self._run = [linear.forward]

    def __getattr__(self, name: str) -> Any:
        if name in ("weight", "bias"):
            raise AssertionError(f"{name} was read")
        return super().__getattr__(name)

    def parameters(self, *_args: Any, **_options: Any) -> Any:
        raise AssertionError("parameters were read")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self._run[0](x)
        return output


def sealed(unet: SmallUNet, *, tells_widths: bool) -> SmallUNet:
    for attention in [module for name, module in unet.named_modules() if name.endswith("attn2")]:
        attention.dim_head = attention.to_q.out_features // attention.heads  # which the family's attentions know
    for name, linear in [(n, m) for n, m in unet.named_modules() if isinstance(m, nn.Linear)]:
        parent, _, child = name.rpartition(".")
        setattr(unet.get_submodule(parent), child, SealedLinear(linear, tells_widths=tells_widths))
    return unet


@pytest.mark.parametrize("tells_widths", [True, False], ids=["fp8", "nf4"])
def test_weights_of_the_unet_are_never_read(adapter: Adapter, tells_widths: bool) -> None:
    """Only activations tell dtype and device: quantised weights, and weights that lie elsewhere, tell neither."""
    x, text = torch.randn(2, 4, 16), torch.randn(2, 3, CONTEXT)
    rows, outputs = chunk_rows([1, 0], 1, 2), []
    for unet in (SmallUNet(), sealed(SmallUNet(), tells_widths=tells_widths)):
        sites = enumerate_sites(unet)
        check_fits(adapter, sites)
        tokens = torch.ones(1, 4, CONTEXT)
        terms = image_terms([Source({STYLE: 1.0}, tokens, 0 * tokens)], sites, adapter)
        with Injection(unet, [ScheduledTerms(terms, Schedule())], lambda _a, _k: UNetCall(rows, torch.ones(2))):
            outputs.append(unet(x, torch.ones(2), context=text))
    assert torch.equal(*outputs)
    assert not torch.equal(outputs[0], SmallUNet()(x, torch.ones(2), context=text))
