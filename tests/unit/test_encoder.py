import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPImageProcessor

from lib_instantstyle.errors import EncoderError
from lib_instantstyle.models.adapter import Kind, open_adapter
from lib_instantstyle.models.encoder_file import choose_encoder, open_encoder
from lib_instantstyle.models.vision_tower import VisionTower
from tests.support import files

CPU = torch.device("cpu")
PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 500, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("encoders") / "tower"
    files.vision_tower().save_pretrained(path, safe_serialization=True)
    return path


def test_a_folder_is_recognised(folder: Path) -> None:
    encoder = open_encoder(folder)
    assert (encoder.hidden_width, encoder.projection_width) == (48, 1280)


def test_it_sees_what_transformers_sees(folder: Path) -> None:
    reference = files.vision_tower()
    pixels = CLIPImageProcessor()(images=PICTURE, return_tensors="pt").pixel_values
    with torch.no_grad():
        expected = reference(pixels, output_hidden_states=True)
        nothing = reference(torch.zeros(1, 3, 224, 224), output_hidden_states=True)
    tower = VisionTower(open_encoder(folder), CPU)
    torch.testing.assert_close(tower.encode(PICTURE, Kind.LINEAR), expected.image_embeds)
    torch.testing.assert_close(tower.encode(PICTURE, Kind.PLUS), expected.hidden_states[-2])
    torch.testing.assert_close(tower.encode_nothing(), nothing.hidden_states[-2])


def test_a_single_file_needs_no_configuration(tmp_path: Path) -> None:
    """What no shape shows is CLIP's as OpenCLIP trains it: the heads of the width, and exact GELU."""
    model = files.vision_tower(hidden=1280, projection=1024, heads=16)
    for layer in model.vision_model.encoder.layers:  # so far from 0 that activations and heads differ
        layer.mlp.fc1.weight.data *= 30
        layer.self_attn.q_proj.weight.data *= 30
    path = tmp_path / "ViT-H.safetensors"
    save_file(model.state_dict(), str(path))
    pixels = CLIPImageProcessor()(images=PICTURE, return_tensors="pt").pixel_values
    with torch.no_grad():
        expected = model(pixels, output_hidden_states=True)
    tower = VisionTower(open_encoder(path), CPU)
    torch.testing.assert_close(tower.encode(PICTURE, Kind.LINEAR), expected.image_embeds)
    torch.testing.assert_close(tower.encode(PICTURE, Kind.PLUS), expected.hidden_states[-2])


def test_a_single_file_of_unknown_width_asks_for_its_configuration(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    path.write_bytes((folder / "model.safetensors").read_bytes())
    with pytest.raises(EncoderError, match=r"48 wide.*config\.json"):
        VisionTower(open_encoder(path), CPU)


def test_missing_weights_are_refused(folder: Path, tmp_path: Path) -> None:
    tensors = load_file(str(folder / "model.safetensors"))
    del tensors["vision_model.encoder.layers.1.mlp.fc1.weight"]
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    save_file(tensors, str(tmp_path / "model.safetensors"))
    with pytest.raises(EncoderError, match=r"missing \['vision_model.encoder.layers.1.mlp.fc1.weight'\]"):
        VisionTower(open_encoder(tmp_path), CPU)


def test_nan_is_refused(folder: Path, tmp_path: Path) -> None:
    tensors = load_file(str(folder / "model.safetensors"))
    tensors["visual_projection.weight"][0, 0] = float("nan")
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    save_file(tensors, str(tmp_path / "model.safetensors"))
    with pytest.raises(EncoderError, match="NaN"):
        VisionTower(open_encoder(tmp_path), CPU).encode(PICTURE, Kind.LINEAR)


def test_overflow_in_half_precision_is_looked_at_again_in_single(folder: Path, tmp_path: Path) -> None:
    tensors = load_file(str(folder / "model.safetensors"))
    for key in tensors:
        tensors[key] = tensors[key] * (1e5 if key.endswith("mlp.fc1.weight") else 1)
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    save_file({key: tensor.half() for key, tensor in tensors.items()}, str(tmp_path / "model.safetensors"))
    tower = VisionTower(open_encoder(tmp_path), CPU)
    expected = tower.encode(PICTURE, Kind.LINEAR)
    tower.rest()  # in the precision of the file, which an accelerator would also use
    assert torch.equal(tower.encode(PICTURE, Kind.LINEAR), expected)


def test_a_tower_that_rested_sees_the_same(folder: Path) -> None:
    tower = VisionTower(open_encoder(folder), CPU)
    first = tower.encode(PICTURE, Kind.LINEAR)
    tower.rest()
    tower.wake()
    assert torch.equal(tower.encode(PICTURE, Kind.LINEAR), first)


def test_no_tower_is_no_encoder(tmp_path: Path) -> None:
    save_file({"x": torch.ones(1)}, str(tmp_path / "model.safetensors"))
    with pytest.raises(EncoderError, match="not a CLIP vision tower"):
        open_encoder(tmp_path)
    with pytest.raises(EncoderError, match="holds neither"):
        open_encoder(tmp_path / "nowhere")


def test_the_encoder_follows_from_the_adapter(folder: Path, tmp_path: Path) -> None:
    encoder = open_encoder(folder)
    fits = open_adapter(files.save_safetensors(tmp_path / "g.safetensors", files.linear_adapter(1280)))
    plus = open_adapter(files.save_safetensors(tmp_path / "p.safetensors", files.plus_adapter(hidden=48)))
    other = open_adapter(files.save_safetensors(tmp_path / "h.safetensors", files.linear_adapter(1024)))
    assert choose_encoder(fits, [encoder]) is encoder
    assert choose_encoder(plus, [encoder]) is encoder
    with pytest.raises(EncoderError, match=r"needs an image encoder with 1024-wide embeddings.*ViT-H-14.*Found: tower"):
        choose_encoder(other, [encoder])


@pytest.mark.parametrize("key", ["vision_model.embeddings.class_embedding", "visual_projection.weight"])
def test_a_number_where_a_tensor_belongs_is_no_tower(tmp_path: Path, key: str) -> None:
    """It was once an IndexError, which stopped the search for every other encoder too."""
    tensors = {
        "vision_model.embeddings.class_embedding": torch.zeros(48),
        "visual_projection.weight": torch.zeros(8, 48),
    }
    save_file(tensors | {key: torch.tensor(1.0)}, str(tmp_path / "odd.safetensors"))
    with pytest.raises(EncoderError, match="not a CLIP vision tower"):
        open_encoder(tmp_path / "odd.safetensors")


@pytest.mark.parametrize("hidden", [1280, 48], ids=["single file", "folder"])
def test_what_a_damaged_tower_leads_to_is_an_encoder_error(tmp_path: Path, folder: Path, hidden: int) -> None:
    if hidden == 48:  # a configuration that no model can be built from
        (tmp_path / "config.json").write_text('{"hidden_size": 48, "hidden_act": "none"}')
    tensors = {
        "vision_model.embeddings.class_embedding": torch.zeros(hidden),
        "visual_projection.weight": torch.zeros(8, hidden),
    }
    save_file(tensors, str(tmp_path / "model.safetensors"))
    encoder = open_encoder(tmp_path if hidden == 48 else tmp_path / "model.safetensors")
    with pytest.raises(EncoderError, match="cannot be loaded"):
        VisionTower(encoder, CPU)


@pytest.mark.parametrize(
    "change",
    [{"image_size": 0}, {"num_hidden_layers": 10**9}, {"patch_size": "56"}, {"layer_norm_eps": "small"}],
    ids=str,
)
def test_a_configuration_that_no_model_looks_with_is_refused(folder: Path, tmp_path: Path, change: dict) -> None:
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps(config | change), encoding="utf-8")
    with pytest.raises(EncoderError, match=rf"config\.json of the image encoder {tmp_path.name} is damaged"):
        VisionTower(open_encoder(tmp_path), CPU)


def test_a_tower_that_is_gone_since_it_was_found_is_an_encoder_error(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes((folder / "model.safetensors").read_bytes())
    encoder = open_encoder(path)
    path.unlink()
    with pytest.raises(EncoderError, match="cannot be loaded"):
        VisionTower(encoder, CPU)
    with pytest.raises(EncoderError, match="cannot be read"):
        assert encoder.fingerprint
