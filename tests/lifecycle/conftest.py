"""The extension in the stand-in, inside the test's own process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from lib_instantstyle.method.memo import TensorMemo
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.webui.extension import extension
from lib_instantstyle.webui.setup.folders import cache_folder, styles_folder
from lib_instantstyle.webui.styles.saving import save_style
from tests.host.inprocess import InProcess, in_process
from tests.live.client import encoded
from tests.support.counting import hooks
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

    def style_file(self) -> bytes:
        """What a saved style of the reference is; the library keeps nothing of it."""
        params = StyleParams(enabled=True, image=self.reference)
        path = save_style("made for a test", params, extension().builder, replace=True)
        content = path.read_bytes()
        path.unlink()
        return content

    @property
    def unet(self) -> torch.nn.Module:
        return self.host.unet

    def hooks(self) -> int:
        """Number of hooks anywhere in the UNets in memory."""
        return sum(hooks(model.model) for model in self.host.engines())

    def forget(self) -> None:
        """Drop what earlier jobs left in memory and in the cache, so that every step happens again."""
        extension().encoders.release()
        extension().generation.memo = TensorMemo()
        shutil.rmtree(cache_folder(), ignore_errors=True)

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


@pytest.fixture(scope="session")
def usual(models_dir: Path) -> tuple[list[bytes], list[bytes]]:
    """A plain picture and a styled one."""
    host = in_process(models_dir)
    host.load("tiny-sdxl.safetensors")
    studio = Studio(host)
    return studio.plain(), studio.styled()


@pytest.fixture
def unchanged(usual: tuple[list[bytes], list[bytes]], studio: Studio) -> Iterator[None]:
    """After the test pictures are bit-identical to those of the first such test, and nothing stays hooked."""
    yield
    assert studio.hooks() == 0
    assert (studio.plain(), studio.styled()) == usual


@pytest.fixture
def folder(studio: Studio) -> Iterator[Path]:
    """The style library, without what a test leaves in it."""
    path = styles_folder()
    path.mkdir(parents=True, exist_ok=True)
    before = set(path.iterdir())
    yield path
    for left in set(path.iterdir()) - before:
        shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
