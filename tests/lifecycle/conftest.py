"""The extension in the stand-in, inside the test's own process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.host.inprocess import InProcess, in_process
from tests.live.client import encoded
from tests.tiny import pictures


class Studio:
    """Makes pictures, plain and styled, and looks at what is left behind."""

    def __init__(self, host: InProcess) -> None:
        self.host = host
        self.reference = encoded(pictures.stripes())

    def request(self, **changes: Any) -> dict[str, list[Any]]:
        return {"InstantStyle": [{"enabled": True, "image": self.reference, **changes}]}

    def plain(self, **fields: Any) -> list[bytes]:
        return self._pixels(self.host.txt2img(**fields))

    def styled(self, style: dict[str, Any] | None = None, **fields: Any) -> list[bytes]:
        processed = self.host.txt2img(self.request(**(style or {})), **fields)
        assert "InstantStyle: " in processed.infotexts[0]
        return self._pixels(processed)

    @property
    def unet(self) -> torch.nn.Module:
        return self.host.shared.sd_model.model.diffusion_model

    def hooks(self) -> int:
        """Number of hooks anywhere in the UNet."""
        modules = list(self.unet.modules())
        return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in modules)

    @staticmethod
    def _pixels(processed: Any) -> list[bytes]:
        return [image.tobytes() for image in processed.images]


@pytest.fixture
def studio(models_dir: Path) -> Iterator[Studio]:
    host = in_process(models_dir)
    host.load("tiny-sdxl.safetensors")
    studio = Studio(host)
    yield studio
    assert studio.hooks() == 0
    host.reset_options()
