"""On a host that is not supported nothing is styled wrongly, and nobody's files are touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from lib_instantstyle.webui.extension import extension
from tests.host.doors import Api
from tests.lifecycle.conftest import Studio


@pytest.mark.flavours("a1111")
def test_a_call_of_the_forge_family_is_refused_elsewhere(studio: Studio) -> None:
    """Their order of rows is another one: what would come out is the style on the wrong rows, without an error."""
    plain, forward = studio.plain(), studio.unet.forward

    def call(*args: Any, transformer_options: Any, **kwargs: Any) -> Any:
        return forward(*args, **kwargs)

    def with_options(module: Any, args: Any, kwargs: Any) -> Any:
        return args, {**kwargs, "transformer_options": {"cond_or_uncond": [1, 0]}}

    studio.unet.forward = call
    handle = studio.unet.register_forward_pre_hook(with_options, with_kwargs=True)
    try:
        assert studio.plain() == plain
        answer = Api().txt2img(studio.request())
        assert answer.status_code == 422
        assert "Forge" in answer.json()["detail"]
        assert "modules_forge" in answer.json()["detail"]
        assert studio.hooks() == 1
    finally:
        handle.remove()
        del studio.unet.forward
    assert studio.plain() == plain


@pytest.mark.flavours("a1111")  # elsewhere it is the host that renames, in `test_hosts`
def test_looking_leaves_every_file_where_it_is(studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forge's ``torch.load`` renames a file that it cannot read."""
    original = torch.load

    def renaming(path: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return original(path, *args, **kwargs)
        except Exception:
            Path(path).rename(f"{path}.corrupted")
            raise

    monkeypatch.setattr(torch, "load", renaming)
    monkeypatch.setattr(torch, "load_origin", original, raising=False)
    (tmp_path / "clip_vision").mkdir()
    junk = [tmp_path / "junk.bin", tmp_path / "clip_vision" / "junk.pth", tmp_path / "junk.safetensors"]
    for number, path in enumerate(junk):
        path.write_bytes(f"{number}: neither a picture nor a model".encode())
    studio.host.shared.opts.data["instantstyle_model_folders"] = str(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    extension().models.look()
    answer = Api().txt2img(studio.request(adapter="junk.bin"))
    assert answer.status_code == 422
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
