"""The host's own denoiser in every row layout: the style reaches the rows it should, whatever the split."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from PIL import Image

from lib_instantstyle.unet.call import CallRows
from lib_instantstyle.unet.injection import Injection
from lib_instantstyle.unet.rows import Row
from tests.host.inprocess import InProcess
from tests.lifecycle.conftest import Studio
from tests.live.client import encoded
from tests.tiny import pictures

LONG = ", ".join("abcdefghij" * 9)
LAYOUTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "batch": {"batch_size": 4},
    "and": {"prompt": "a AND b AND c"},
    "and batch": {"prompt": "a AND b", "batch_size": 3},
    "long prompt": {"prompt": LONG, "batch_size": 2},
    "long negative": {"prompt": "a AND b", "negative_prompt": LONG, "batch_size": 2},
    "editing": {"prompt": "a [b:c:0.5] AND d", "batch_size": 2},
    "ngms": {"s_min_uncond": 4.0, "steps": 5, "batch_size": 2},
}
OPTIONS: dict[str, Callable[[InProcess], None]] = {
    "batched": lambda _host: None,
    "split": InProcess.split_steps,
    "skip early": lambda host: host.shared.opts.data.update(skip_early_cond=0.5),
    "padded": lambda host: host.shared.opts.data.update(pad_cond_uncond=True),
}


def on_each_host(cases: dict[str, Any], *names: str) -> list[Any]:
    """Return the cases as parameters, of which the ones with these names are run on every host."""
    marks = {name: [pytest.mark.each_host] for name in names}
    return [pytest.param(value, id=name, marks=marks.get(name, [])) for name, value in cases.items()]


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("fields", on_each_host(LAYOUTS, "and batch", "long negative"))
def test_every_unet_call_equals_its_rows_one_by_one(
    studio: Studio, fields: dict[str, Any], options: Callable[[InProcess], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each row of each UNet call is computed again alone, as conditional or not by the text that it carries."""
    options(studio.host)
    judge = Judge(studio, monkeypatch)
    studio.styled({"preset": "style + layout"}, **{"steps": 3, **fields})
    assert judge.calls >= 3
    assert judge.worst <= 2e-4  # relative; batched and single matrix products round differently


EVERYTHING = {
    "images": [encoded(pictures.sunset()), encoded(pictures.dots())],
    "masks": [None, encoded(Image.linear_gradient("L"))],
    "negative_image": encoded(pictures.dots()),
    "anti_layout": 1.5,
    "weights": "1, 0.5, 2",
}


@pytest.mark.each_host
@pytest.mark.parametrize("combine", ["add", "concatenate", "one per picture"])
@pytest.mark.parametrize("options", ["batched", "split"])
def test_every_source_reaches_its_rows(
    studio: Studio, options: str, combine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same with references, regions, a negative picture and anti-layout together, batch of 3 and AND."""
    OPTIONS[options](studio.host)
    judge = Judge(studio, monkeypatch)
    studio.styled(EVERYTHING | {"combine": combine}, steps=3, prompt="a AND b", batch_size=3)
    assert judge.calls >= 3
    assert judge.worst <= 2e-4


class Judge:
    """Repeats every UNet call row by row with the variant of keys and values that the text demands."""

    def __init__(self, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls, self.worst, self._busy = 0, 0.0, False
        self._uncond: torch.Tensor | None = None
        self._live: list[Injection] = []
        self._watch(studio, monkeypatch)

    def _watch(self, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
        from modules import script_callbacks

        original_forward = type(studio.unet).forward
        original_inject = Injection.inject
        original_callback = script_callbacks.cfg_denoiser_callback

        def forward(unet: torch.nn.Module, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
            output = original_forward(unet, x, *args, **kwargs)
            if self._live and not self._busy:
                self._judge(original_forward, unet, (x, *args), kwargs, output)
            return output

        def inject(injection: Injection) -> None:
            self._live.append(injection)
            original_inject(injection)

        def callback(params: Any) -> None:
            self._uncond = () if params.text_uncond is None else params.text_uncond["crossattn"]
            original_callback(params)

        monkeypatch.setattr(type(studio.unet), "forward", forward)
        monkeypatch.setattr(Injection, "inject", inject)
        monkeypatch.setattr(script_callbacks, "cfg_denoiser_callback", callback)

    def _judge(self, forward: Any, unet: Any, args: Any, kwargs: dict[str, Any], output: torch.Tensor) -> None:
        injection = self._live[-1]
        call, self._busy = injection.call, True
        try:
            tensors = {name: value for name, value in kwargs.items() if isinstance(value, torch.Tensor)}
            for row in range(output.shape[0]):
                one = {name: value[row : row + 1] for name, value in tensors.items()}
                demanded = Row(self._demanded(one["context"]), call.rows[row].picture)
                injection.call = CallRows((demanded,))
                alone = forward(unet, *(value[row : row + 1] for value in args), **one)
                error = (alone - output[row : row + 1]).abs().max() / output.abs().max()
                self.worst = max(self.worst, float(error))
        finally:
            injection.call, self._busy = call, False
        self.calls += 1

    def _demanded(self, context: torch.Tensor) -> bool:
        """Whether a text is conditional, and not the negative prompt's."""
        pairs = ((context[0, : row.shape[0]], row[: context.shape[1]]) for row in self._uncond)
        return not any(torch.equal(ours, theirs) for ours, theirs in pairs)
