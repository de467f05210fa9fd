import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lib_instantstyle.errors import AdapterError, UnsupportedModelError
from lib_instantstyle.models.adapter import Kind, open_adapter
from lib_instantstyle.params.blocks import STYLE
from lib_instantstyle.unet.plan import check_fits
from lib_instantstyle.unet.sites import enumerate_sites
from tests.support import files
from tests.support.unets import SmallUNet

Tensors = dict[str, torch.Tensor]


@pytest.mark.parametrize("save", [files.save_safetensors, files.save_bin])
@pytest.mark.parametrize(
    ("tensors", "kind", "width", "tokens", "removes"),
    [
        (files.linear_adapter(1280), Kind.LINEAR, 1280, 4, True),
        (files.linear_adapter(1024), Kind.LINEAR, 1024, 4, False),
        (files.plus_adapter(hidden=48), Kind.PLUS, 48, 16, False),
    ],
    ids=["bigG", "vit-h", "plus"],
)
def test_the_three_kinds_are_recognised_under_any_name(
    tmp_path: Path, save: Callable[[Path, Tensors], Path], tensors: Tensors, kind: Kind, width: int, tokens: int,
    removes: bool,
) -> None:  # fmt: skip
    suffix = ".bin" if save is files.save_bin else ".safetensors"
    adapter = open_adapter(save(tmp_path / f"faceid_v2_portrait{suffix}", tensors))
    assert (adapter.kind, adapter.embedding_width, adapter.tokens, adapter.removes_content) == (
        kind, width, tokens, removes,
    )  # fmt: skip
    check_fits(adapter, enumerate_sites(SmallUNet()))
    site = next(site for site in enumerate_sites(SmallUNet()) if site.block is STYLE)
    key, value = dict(adapter.read_matrices([site.adapter_id]))[site.adapter_id]
    assert torch.equal(key, tensors[f"ip_adapter.{site.adapter_id}.to_k_ip.weight"])
    assert torch.equal(value, tensors[f"ip_adapter.{site.adapter_id}.to_v_ip.weight"])


def _without(tensors: Tensors, key: str) -> Tensors:
    return {name: tensor for name, tensor in tensors.items() if name != key}


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (files.linear_adapter(1024, context=768), "Stable Diffusion 1.5 .*SDXL has 2048"),
        (files.linear_adapter(1280, context=1280), "SDXL refiner"),
        ({"image_proj.proj.0.weight": torch.ones(2, 2)}, "FaceID"),
        (files.linear_adapter() | {"ip_adapter.0.to_q_lora.down.weight": torch.ones(2, 2)}, "FaceID"),
        ({"some.weight": torch.ones(2)}, "not an IP-Adapter"),
        (_without(files.linear_adapter(), "ip_adapter.5.to_k_ip.weight"), r"do not pair up at \[\(5, 'k'\)\]"),
        (_without(files.linear_adapter(), "image_proj.norm.weight"), "unknown kind"),
        (files.linear_adapter() | {"ip_adapter.1.to_v_ip.weight": torch.ones(3, 32)}, "differ in shape"),
    ],
    ids=["sd15", "refiner", "faceid", "faceid-lora", "other", "gap", "projection", "shape"],
)
def test_other_files_are_refused_with_a_reason(tmp_path: Path, tensors: Tensors, message: str) -> None:
    path = files.save_safetensors(tmp_path / "ip-adapter_sdxl.safetensors", tensors)
    with pytest.raises(AdapterError, match=message):
        open_adapter(path)


@pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
@pytest.mark.parametrize("content", [b"", b"just some text", b"\xff" * 4096])
def test_damaged_files_are_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"adapter{suffix}"
    path.write_bytes(content)
    with pytest.raises(AdapterError, match="cannot be read"):
        open_adapter(path)


def test_truncated_files_are_refused(tmp_path: Path) -> None:
    whole = files.save_safetensors(tmp_path / "whole.safetensors", files.linear_adapter())
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(whole.read_bytes()[:-1000])
    with pytest.raises(AdapterError, match="cannot be read"):
        open_adapter(cut)


class _Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    torch.save({"image_proj": _Touch(proof)}, tmp_path / "evil.bin")
    with pytest.raises(AdapterError):
        open_adapter(tmp_path / "evil.bin")
    assert not proof.exists()


def test_another_model_is_refused(tmp_path: Path) -> None:
    adapter = open_adapter(files.save_safetensors(tmp_path / "a.safetensors", files.linear_adapter(context=48)))
    with pytest.raises(UnsupportedModelError, match="48 wide; the loaded checkpoint reads 32"):
        check_fits(adapter, enumerate_sites(SmallUNet()))
    sites = enumerate_sites(SmallUNet(context=48))
    with pytest.raises(UnsupportedModelError, match="sites"):
        check_fits(adapter, sites[:-1])


@pytest.mark.parametrize("number", ["999999", "99999999999", "9" * 5000])
def test_a_key_of_an_absurd_number_costs_nothing(tmp_path: Path, number: str) -> None:
    """The expected keys were once counted up to the largest number that a file names."""
    tensors = files.linear_adapter() | {f"ip_adapter.{number}.to_k_ip.weight": torch.ones(64, 2048)}
    path = files.save_safetensors(tmp_path / "a.safetensors", tensors)
    started = time.process_time()
    with contextlib.suppress(AdapterError):
        open_adapter(path)
    assert time.process_time() - started < 1


@pytest.mark.parametrize("opcodes", [b"q\0", b"q", b"\x80\x02}q\x00(u.", b"\x80\x02ccollections\nOrderedDict\nK\x01R."])
def test_a_damaged_pickle_is_refused_whatever_it_does_to_its_reader(tmp_path: Path, opcodes: bytes) -> None:
    """torch's reader raises IndexError, TypeError, struct.error, AttributeError; one such file once hid all others."""
    path = tmp_path / "adapter.bin"
    path.write_bytes(opcodes)
    with pytest.raises(AdapterError, match=r"adapter\.bin cannot be read"):
        open_adapter(path)
