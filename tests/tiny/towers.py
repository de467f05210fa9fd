"""Names and shapes of the autoencoder and of the text towers in their original layouts."""

from __future__ import annotations

from tests.tiny.unet import Shapes

AUTOENCODER_CHANNELS = 32
_MULTIPLIERS = (1, 2, 4, 4)
_LATENT = 4
CLIP_L_WIDTH = 768
CLIP_L_LAYERS = 2
CLIP_L_MLP = 64
BIGG_WIDTH = 1280
BIGG_LAYERS = 2
BIGG_MLP = 4 * BIGG_WIDTH  # open_clip's text configuration has no key for another ratio
BIGG_VOCABULARY = 49408
POSITIONS = 77


def autoencoder_shapes() -> Shapes:
    """Return the tensors of an LDM AutoencoderKL, ``encoder``, ``decoder`` and the quantisation convolutions."""
    shapes: Shapes = {}
    widths = [AUTOENCODER_CHANNELS * multiplier for multiplier in _MULTIPLIERS]
    _encoder(shapes, widths)
    _decoder(shapes, widths)
    _convolution(shapes, "quant_conv", 2 * _LATENT, 2 * _LATENT, 1)
    _convolution(shapes, "post_quant_conv", _LATENT, _LATENT, 1)
    return shapes


def _encoder(shapes: Shapes, widths: list[int]) -> None:
    _convolution(shapes, "encoder.conv_in", 3, widths[0])
    current = widths[0]
    for level, width in enumerate(widths):
        for block in range(2):
            _residual(shapes, f"encoder.down.{level}.block.{block}", current, width)
            current = width
        if level < len(widths) - 1:
            _convolution(shapes, f"encoder.down.{level}.downsample.conv", width, width)
    _middle(shapes, "encoder", current)
    _ends(shapes, "encoder", current, 2 * _LATENT)


def _decoder(shapes: Shapes, widths: list[int]) -> None:
    current = widths[-1]
    _convolution(shapes, "decoder.conv_in", _LATENT, current)
    _middle(shapes, "decoder", current)
    for level, width in reversed(list(enumerate(widths))):
        for block in range(3):
            _residual(shapes, f"decoder.up.{level}.block.{block}", current, width)
            current = width
        if level:
            _convolution(shapes, f"decoder.up.{level}.upsample.conv", width, width)
    _ends(shapes, "decoder", current, 3)


def _middle(shapes: Shapes, name: str, width: int) -> None:
    _residual(shapes, f"{name}.mid.block_1", width, width)
    _residual(shapes, f"{name}.mid.block_2", width, width)
    _vector(shapes, f"{name}.mid.attn_1.norm", width)
    for part in ("q", "k", "v", "proj_out"):
        _convolution(shapes, f"{name}.mid.attn_1.{part}", width, width, 1)


def _ends(shapes: Shapes, name: str, width: int, outputs: int) -> None:
    _vector(shapes, f"{name}.norm_out", width)
    _convolution(shapes, f"{name}.conv_out", width, outputs)


def _residual(shapes: Shapes, name: str, inputs: int, outputs: int) -> None:
    _vector(shapes, f"{name}.norm1", inputs)
    _convolution(shapes, f"{name}.conv1", inputs, outputs)
    _vector(shapes, f"{name}.norm2", outputs)
    _convolution(shapes, f"{name}.conv2", outputs, outputs)
    if inputs != outputs:
        _convolution(shapes, f"{name}.nin_shortcut", inputs, outputs, 1)


def clip_l_shapes(vocabulary: int) -> Shapes:
    """Return the tensors of a narrow CLIP-L text tower in the layout of transformers."""
    width, shapes = CLIP_L_WIDTH, {}
    shapes["embeddings.token_embedding.weight"] = (vocabulary, width)
    shapes["embeddings.position_embedding.weight"] = (POSITIONS, width)
    shapes["embeddings.position_ids"] = (1, POSITIONS)
    for layer in range(CLIP_L_LAYERS):
        name = f"encoder.layers.{layer}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            _linear(shapes, f"{name}.self_attn.{part}", width, width)
        _linear(shapes, f"{name}.mlp.fc1", width, CLIP_L_MLP)
        _linear(shapes, f"{name}.mlp.fc2", CLIP_L_MLP, width)
        _vector(shapes, f"{name}.layer_norm1", width)
        _vector(shapes, f"{name}.layer_norm2", width)
    _vector(shapes, "final_layer_norm", width)
    return {f"transformer.text_model.{key}": shape for key, shape in shapes.items()}


def bigg_shapes() -> Shapes:
    """Return the tensors of a shallow ViT-bigG text tower in the layout of open_clip."""
    width, inner, shapes = BIGG_WIDTH, BIGG_MLP, {}
    shapes["token_embedding.weight"] = (BIGG_VOCABULARY, width)
    shapes["positional_embedding"] = (POSITIONS, width)
    for layer in range(BIGG_LAYERS):
        name = f"transformer.resblocks.{layer}"
        shapes[f"{name}.attn.in_proj_weight"] = (3 * width, width)
        shapes[f"{name}.attn.in_proj_bias"] = (3 * width,)
        _linear(shapes, f"{name}.attn.out_proj", width, width)
        _linear(shapes, f"{name}.mlp.c_fc", width, inner)
        _linear(shapes, f"{name}.mlp.c_proj", inner, width)
        _vector(shapes, f"{name}.ln_1", width)
        _vector(shapes, f"{name}.ln_2", width)
    _vector(shapes, "ln_final", width)
    shapes["text_projection"] = (width, width)
    shapes["logit_scale"] = ()
    return {f"model.{key}": shape for key, shape in shapes.items()}


def _vector(shapes: Shapes, name: str, width: int) -> None:
    shapes |= {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _linear(shapes: Shapes, name: str, inputs: int, outputs: int) -> None:
    shapes |= {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _convolution(shapes: Shapes, name: str, inputs: int, outputs: int, kernel: int = 3) -> None:
    shapes |= {f"{name}.weight": (outputs, inputs, kernel, kernel), f"{name}.bias": (outputs,)}
