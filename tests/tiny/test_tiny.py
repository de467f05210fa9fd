"""The tiny models are what their real namesakes are, only smaller."""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint
from safetensors import safe_open
from transformers import CLIPTokenizer, CLIPVisionModelWithProjection

from lib_instantstyle.errors import AdapterError
from lib_instantstyle.models.adapter import Kind, open_adapter
from tests.tiny import PARTS, TinyModels, adapters, broken, networks, unet, write_parts
from tests.tiny.tensors import random_tensors
from tests.tiny.tokenizer import VOCABULARY_SIZE, write_tokenizer
from tests.tiny.towers import AUTOENCODER_CHANNELS, autoencoder_shapes

SDXL_LAYERS = {
    "down_blocks.1": (2, 2),
    "down_blocks.2": (10, 10),
    "up_blocks.0": (10, 10, 10),
    "up_blocks.1": (2, 2, 2),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> TinyModels:
    return write_parts(tmp_path_factory.mktemp("models"), ["ip-adapter-plus_sdxl_vit-h", "tiny-vit-h"])


def digests(root: Path) -> dict[str, str]:
    files = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_writing_twice_gives_the_same_bytes(models: TinyModels, tmp_path: Path) -> None:
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    again = write_parts(tmp_path, ["ip-adapter-plus_sdxl_vit-h", "tiny-vit-h"])
    assert digests(again.root) == digests(models.root)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_what_is_there_stays_unless_forced(models: TinyModels) -> None:
    weights = models.root / PARTS["tiny-vit-h"].last
    whole = weights.read_bytes()
    weights.write_bytes(b"mine")
    write_parts(models.root, ["tiny-vit-h"])
    assert weights.read_bytes() == b"mine"
    write_parts(models.root, ["tiny-vit-h"], force=True)
    assert weights.read_bytes() == whole


def test_matrices_stand_in_the_order_down_up_mid() -> None:
    ids = [int(re.findall(r"\d+", key)[0]) for key in adapters.matrix_shapes() if ".to_k_ip." in key]
    assert ids == list(range(1, 140, 2))
    widths = [shape[0] for key, shape in adapters.matrix_shapes().items() if ".to_v_ip." in key]
    expected = []
    for stage, depths in [*SDXL_LAYERS.items(), ("mid_block", (10,))]:
        expected += [32 if stage in ("down_blocks.1", "up_blocks.1") else 64] * sum(depths)
    assert widths == expected


def test_the_unet_is_sdxl_s_by_diffusers_own_conversion() -> None:
    config = unet.SDXL
    model = UNet2DConditionModel(
        block_out_channels=[config.channels * multiplier for multiplier in config.multipliers],
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=[1, 2, 10],
        attention_head_dim=[4, 8, 16],
        cross_attention_dim=config.context,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=config.vector,
        use_linear_projection=True,
    )
    shapes = {f"model.diffusion_model.{key}": shape for key, shape in unet.unet_shapes(config).items()}
    converted = convert_ldm_unet_checkpoint(random_tensors(shapes, seed=0), dict(model.config))
    model.load_state_dict(converted, strict=True)
    assert sum(name.endswith("attn2") for name, _ in model.named_modules()) == 70
    assert 0.1 < _one_step(model.eval()).std() < 10  # weights are scaled: nothing explodes, nothing vanishes


@torch.no_grad()
def _one_step(model: UNet2DConditionModel) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    latent, context, pooled = (
        torch.randn(shape, generator=generator) for shape in ((1, 4, 16, 16), (1, 77, 2048), (1, 1280))
    )
    added = {"text_embeds": pooled, "time_ids": torch.tensor([[128, 128, 0, 0, 128, 128]])}
    return model(latent, 999, context, added_cond_kwargs=added).sample


def test_the_autoencoder_is_the_usual_one() -> None:
    model = AutoencoderKL(
        block_out_channels=[AUTOENCODER_CHANNELS * multiplier for multiplier in (1, 2, 4, 4)],
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        layers_per_block=2,
        latent_channels=4,
    )
    converted = convert_ldm_vae_checkpoint(random_tensors(autoencoder_shapes(), seed=0), dict(model.config))
    model.load_state_dict(converted, strict=True)


def test_both_containers_hold_the_same_adapter(models: TinyModels) -> None:
    flat = open_adapter(models.adapters / "ip-adapter-plus_sdxl_vit-h.safetensors")
    nested = open_adapter(models.adapters / "ip-adapter-plus_sdxl_vit-h.bin")
    assert (flat.kind, flat.tokens, flat.context_width) == (Kind.PLUS, 16, 2048)
    ours, theirs = flat.read_projection(), nested.read_projection()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert torch.equal(dict(flat.read_matrices([69]))[69][0], dict(nested.read_matrices([69]))[69][0])
    with safe_open(str(flat.path), framework="pt") as file:
        assert len(file.keys()) == len(ours) + 140


def test_the_plus_adapter_reads_the_encoder_beside_it(models: TinyModels) -> None:
    encoder = CLIPVisionModelWithProjection.from_pretrained(models.encoders / "tiny-vit-h")
    adapter = open_adapter(models.adapters / "ip-adapter-plus_sdxl_vit-h.safetensors")
    assert encoder.config.hidden_size == adapter.embedding_width != adapters.BIGG["hidden_size"]
    assert encoder.config.projection_dim == 1024


def test_the_tokenizer_needs_no_vocabulary_of_others(tmp_path: Path) -> None:
    tokenizer = CLIPTokenizer.from_pretrained(write_tokenizer(tmp_path))
    ids = tokenizer("a blue house").input_ids
    assert ids[0] == VOCABULARY_SIZE - 2
    assert ids[-1] == VOCABULARY_SIZE - 1
    assert tokenizer.decode(ids, skip_special_tokens=True).strip() == "a blue house"
    assert tokenizer.unk_token_id not in tokenizer("日本, 100 %").input_ids[1:-1]


@pytest.mark.parametrize("write", [w for w in broken.ALL if w not in (broken.with_nan, broken.for_other_depths)])
def test_broken_adapters_are_refused(write, tmp_path: Path) -> None:
    with pytest.raises(AdapterError):
        open_adapter(write(tmp_path))


@pytest.mark.parametrize("write", [broken.with_nan, broken.for_other_depths])
def test_some_faults_show_only_when_used(write, tmp_path: Path) -> None:
    assert open_adapter(write(tmp_path)).context_width == 2048


@pytest.mark.parametrize("shapes", [networks.lora_shapes(), networks.lllite_shapes()], ids=["lora", "lllite"])
def test_networks_name_layers_of_the_unet(shapes: unet.Shapes) -> None:
    layers = {key.removesuffix(".weight").replace(".", "_") for key in unet.unet_shapes(unet.SDXL)}
    named = {key.partition(".")[0].partition("_unet_")[2] for key in shapes}
    assert named <= layers
    assert sum(name.endswith("attn2_to_q") for name in named) == 10


def test_a_hypernetwork_passes_the_webui_s_restricted_reader(tmp_path: Path) -> None:
    path = networks.write_hypernetwork(tmp_path / "tiny.pt")
    content = torch.load(path, weights_only=True)
    assert {key for key in content if isinstance(key, int)} == {2048, 64}
    with zipfile.ZipFile(path) as archive:
        assert all(re.search(r"/(data/\d+|version|byteorder|data\.pkl)$", name) for name in archive.namelist())
