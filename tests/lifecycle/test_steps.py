"""Each step of a job fails in turn, and is interrupted in turn.

The page and the API tell why; no hook stays; the next plain picture is bit-identical, and the next styled one is right,
though the steps before the failure may have left something in memory or in the cache.
"""

from __future__ import annotations

import errno
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
import torch

from lib_instantstyle.errors import UNPROCESSABLE, AdapterError
from tests.host.doors import Api, press_generate
from tests.lifecycle.conftest import Studio
from tests.lifecycle.test_faults import ROWS, TEXTS

UNFORESEEN = 500
OUT_OF_MEMORY = "CUDA out of memory. Tried to allocate 2.00 GiB."


@dataclass(frozen=True)
class Fault:
    """What fails, and what the user is told of it.

    Attributes:
        target: The function that carries out the step.
        failure: Raised by it, or returned by it in the place of its answer.
        status: Of the API.
        message: On the page and in the API.
    """

    target: str
    failure: Any
    status: int
    message: str

    def happen(self, *_args: Any, **_kwargs: Any) -> Any:
        if isinstance(self.failure, Exception):
            raise self.failure
        return self.failure


NAN = torch.full((1, 1280), torch.nan)
NO_SPACE = OSError(errno.ENOSPC, "No space left on device")
FAULTS = {
    "decode": Fault(
        "PIL.ImageFile.ImageFile.load", OSError("image file is truncated"), UNPROCESSABLE,
        "The style reference 1 cannot be read (image file is truncated)",
    ),
    "load of the encoder": Fault(
        "lib_instantstyle.models.tensor_file.safe_open", OSError(errno.EIO, "Input/output error"), UNPROCESSABLE,
        "The image encoder tiny-bigG cannot be loaded: model.safetensors cannot be read: [Errno 5] Input/output error",
    ),
    "encode": Fault("lib_instantstyle.models.vision_tower.VisionTower._forward", NAN, UNPROCESSABLE, "answered with NaN"),
    "encode, unforeseen": Fault(
        "lib_instantstyle.models.vision_tower.VisionTower.encode", ValueError("not so"), UNFORESEEN, "ValueError: not so"
    ),
    "text tower": Fault(
        TEXTS, RuntimeError(OUT_OF_MEMORY), UNFORESEEN, OUT_OF_MEMORY
    ),
    "read of the adapter": Fault(
        "lib_instantstyle.models.adapter.Adapter.read_matrices", AdapterError("It broke off. Download the adapter again."),
        UNPROCESSABLE, "It broke off. Download the adapter again.",
    ),
    "project": Fault(
        "lib_instantstyle.unet.image_projection.project_linear", torch.full((1, 4, 2048), torch.nan), UNPROCESSABLE,
        "gives NaN or infinity",
    ),
    "project, shapes": Fault(
        "lib_instantstyle.unet.image_projection.project_linear", RuntimeError("shape '[1, -1, 2048]' is invalid"), UNPROCESSABLE,
        "Download the adapter again",
    ),
    "plan": Fault("lib_instantstyle.unet.plan.make_plan", ZeroDivisionError("on purpose"), UNFORESEEN, "on purpose"),
    "attach": Fault(
        "lib_instantstyle.unet.injection._InjectedSite.attach", RuntimeError("on purpose"), UNFORESEEN, "on purpose"
    ),
    "record": Fault("lib_instantstyle.webui.jobs.infotext.write", TypeError("on purpose"), UNFORESEEN, "on purpose"),
    "rows": Fault(
        ROWS, RuntimeError("on purpose"), UNFORESEEN, "on purpose"
    ),
    "denoise": Fault(
        "lib_instantstyle.unet.terms.SiteTerm.add_to", torch.cuda.OutOfMemoryError(OUT_OF_MEMORY), UNFORESEEN,
        OUT_OF_MEMORY,
    ),
    "VAE decode": Fault(
        "modules.sd_samplers_common.decode_first_stage", torch.cuda.OutOfMemoryError(OUT_OF_MEMORY), UNFORESEEN,
        OUT_OF_MEMORY,
    ),
    "save": Fault("modules.images.save_image", NO_SPACE, UNFORESEEN, "No space left on device"),
}  # fmt: skip


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_step_that_fails_says_why_and_leaves_nothing(
    studio: Studio, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = studio.request(content="a cat")
    api = Api()
    studio.forget()
    with monkeypatch.context() as patch:
        patch.setattr(fault.target, fault.happen)
        said = press_generate(studio.host, request)
        assert studio.hooks() == 0
        answer = api.txt2img(request, save_images=True)
        assert studio.hooks() == 0
    assert "<div class='error'>" in said
    assert fault.message in unescape(said)
    assert answer.status_code == fault.status, answer.text
    body = answer.json()
    assert fault.message in (body["detail"] or f"{body['error']}: {body[studio.host.flavour.error_key]}")


@pytest.mark.usefixtures("unchanged")
def test_no_hook_stays_wherever_attaching_breaks_off(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every hook of the style block in turn: two of the UNet, three of each of ten cross-attentions."""
    for number in range(1, 33):
        with monkeypatch.context() as patch:
            count = _count_hooks(patch, fails_at=number)
            with pytest.raises(RuntimeError, match="on purpose"):
                studio.styled(steps=1)
        assert studio.hooks() == 0
        assert count() == number
    with monkeypatch.context() as patch:
        count = _count_hooks(patch, fails_at=33)
        studio.styled(steps=1)
    assert count() == 32


def _count_hooks(patch: pytest.MonkeyPatch, fails_at: int) -> Callable[[], int]:
    count = 0

    def counting(register: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count == fails_at:
                raise RuntimeError("on purpose")
            return register(*args, **kwargs)

        return counted

    for name in ("register_forward_hook", "register_forward_pre_hook"):
        patch.setattr(torch.nn.Module, name, counting(getattr(torch.nn.Module, name)))
    return lambda: count


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("flag", ["interrupted", "skipped"])
def test_stopping_at_any_step_leaves_nothing(studio: Studio, flag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for step, fault in FAULTS.items():
        studio.forget()
        with monkeypatch.context() as patch:
            happened = _stop_at(patch, fault.target, lambda: setattr(studio.host.shared.state, flag, True))
            said = press_generate(studio.host, studio.request(content="a cat"), n_iter=2)
        assert happened, step
        assert "class='error'" not in said, step
        assert studio.hooks() == 0, step


def _stop_at(patch: pytest.MonkeyPatch, target: str, stop: Callable[[], None]) -> list[str]:
    """Let the step that ``target`` carries out begin with ``stop``; return a list that tells whether it came."""
    path, _, name = target.rpartition(".")
    owner = pkgutil.resolve_name(path)
    original, happened = getattr(owner, name), []

    def stopping(*args: Any, **kwargs: Any) -> Any:
        happened.append(target)
        stop()
        return original(*args, **kwargs)

    patch.setattr(owner, name, stopping)
    return happened
