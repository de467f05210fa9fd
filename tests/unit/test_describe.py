"""What people read of the files that were found."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_instantstyle.fetch.catalogue import size_text
from lib_instantstyle.models.adapter import open_adapter
from lib_instantstyle.models.descriptions import adapter_abilities, adapter_kind, encoder_kind
from lib_instantstyle.models.encoder_file import EncoderFile
from tests.support import files


@pytest.mark.parametrize(
    ("count", "text"),
    [(12, "12 bytes"), (560, "560 bytes"), (2010, "2 KB"), (702_585_376, "703 MB"), (3_689_912_664, "3.7 GB")],
)
def test_sizes_are_those_that_download_pages_show(count: int, text: str) -> None:
    assert size_text(count) == text


@pytest.mark.parametrize(
    ("tensors", "kind", "removes"),
    [
        (files.linear_adapter(1280), "IP-Adapter for ViT-bigG", True),
        (files.linear_adapter(1024), "IP-Adapter for ViT-H", False),
        (files.plus_adapter(1280), "IP-Adapter Plus for ViT-H", False),
        (files.plus_adapter(48), "IP-Adapter Plus for an encoder 48 wide", False),
    ],
)
def test_an_adapter_is_told_by_its_tensors(tmp_path: Path, tensors: dict, kind: str, removes: bool) -> None:
    adapter = open_adapter(files.save_safetensors(tmp_path / "any-name.safetensors", tensors))
    assert adapter_kind(adapter) == kind
    assert ("and content removal" in adapter_abilities(adapter)) is removes


def test_encoders(tmp_path: Path) -> None:
    assert encoder_kind(EncoderFile(tmp_path, tmp_path, 1664, 1280)) == "ViT-bigG"
    assert encoder_kind(EncoderFile(tmp_path, tmp_path, 8, 9)) == "a CLIP tower 9 wide"


def test_an_adapter_for_another_text_tower_says_which(tmp_path: Path) -> None:
    adapter = open_adapter(files.save_safetensors(tmp_path / "small.safetensors", files.linear_adapter(64)))
    assert "content removal where text vectors are 64 wide too" in adapter_abilities(adapter)
    assert adapter_abilities(adapter, 64) == "style, layout and content removal"
