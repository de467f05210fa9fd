"""Subtraction and projection against computations that share no code with them."""

import pytest
import torch
from diffusers.models.embeddings import IPAdapterPlusImageProjection
from torch import nn

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.method.projection import project_linear, project_resampler
from lib_instantstyle.method.removal import Remover
from lib_instantstyle.params.contents import Content, Removal, parse_contents
from tests.support import files


def _part(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {key[len("image_proj.") :]: tensor for key, tensor in tensors.items() if key.startswith("image_proj.")}


def subtract_content(embedding: torch.Tensor, texts: torch.Tensor, strength: float) -> torch.Tensor:
    contents = [Content(str(index), 1.0) for index in range(len(texts))]
    return Remover(contents, texts, strength, Removal.SUBTRACT)(embedding)


def test_subtraction_is_the_paper_s() -> None:
    picture, text = torch.randn(1, 8), torch.randn(1, 8)
    torch.testing.assert_close(subtract_content(picture, text, 0.5), picture - 0.5 * text)
    assert torch.equal(subtract_content(picture, text, 0.0), picture)


def test_several_contents_share_one_strength() -> None:
    picture, texts = torch.randn(1, 8), torch.randn(3, 8)
    expected = picture - 0.5 * (texts[0] + texts[1] + texts[2]) / 3
    torch.testing.assert_close(subtract_content(picture, texts, 0.5), expected)


def test_subtraction_is_single_precision() -> None:
    assert subtract_content(torch.randn(1, 8).half(), torch.randn(1, 8).half(), 0.5).dtype is torch.float32


def test_spaces_must_match() -> None:
    with pytest.raises(ParameterError, match="1024 numbers, the text tower's 1280"):
        subtract_content(torch.randn(1, 1024), torch.randn(1, 1280), 0.5)


def test_contents_are_separated_by_commas() -> None:
    assert parse_contents(" a cat, balloons,, ") == (("a cat", 1.0), ("balloons", 1.0))


def test_linear_projection() -> None:
    weights = _part(files.linear_adapter(1280))
    linear, norm = nn.Linear(1280, 4 * 32), nn.LayerNorm(32)
    linear.load_state_dict({"weight": weights["proj.weight"], "bias": weights["proj.bias"]})
    norm.load_state_dict({"weight": weights["norm.weight"], "bias": weights["norm.bias"]})
    embedding = torch.randn(2, 1280)
    torch.testing.assert_close(project_linear(embedding, weights), norm(linear(embedding).view(2, 4, 32)))


def test_nothing_projects_to_the_normalised_bias() -> None:
    weights = _part(files.linear_adapter(1280))
    tokens = project_linear(torch.zeros(1, 1280), weights)
    expected = nn.functional.layer_norm(
        weights["proj.bias"].view(1, 4, 32), (32,), weights["norm.weight"], weights["norm.bias"]
    )
    torch.testing.assert_close(tokens, expected)


def test_resampler_equals_diffusers() -> None:
    weights = _part(files.plus_adapter(hidden=48, inner=64))
    reference = IPAdapterPlusImageProjection(
        embed_dims=48, output_dims=32, hidden_dims=64, depth=2, dim_head=64, heads=1, num_queries=16
    )
    reference.load_state_dict(_diffusers_names(weights))
    hidden = torch.randn(2, 17, 48)
    torch.testing.assert_close(project_resampler(hidden, weights), reference(hidden), rtol=1e-5, atol=1e-5)


def _diffusers_names(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The renaming of diffusers' loader."""
    renamed = {}
    for key, tensor in weights.items():
        name = key
        for old, new in (
            ("0.norm1", "ln0"),
            ("0.norm2", "ln1"),
            ("0.to_q", "attn.to_q"),
            ("0.to_out", "attn.to_out.0"),
        ):
            name = name.replace(f".{old}", f".{new}") if name.startswith("layers.") else name
        for old, new in (("1.0.", "ff.0."), ("1.1.", "ff.1.net.0.proj."), ("1.3.", "ff.1.net.2.")):
            prefix = ".".join(name.split(".")[:2])
            name = name.replace(f"{prefix}.{old}", f"{prefix}.{new}") if name.startswith("layers.") else name
        if ".0.to_kv" in name:
            keys, values = tensor.chunk(2)
            renamed[name.replace("0.to_kv", "attn.to_k")], renamed[name.replace("0.to_kv", "attn.to_v")] = keys, values
        else:
            renamed[name] = tensor
    return renamed
