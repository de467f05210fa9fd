"""The Forge family's model objects: patchers around the same modules, and Forge's own object with nothing else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import nn

from modules.flavour import flavour


class UnetPatcher:
    """A UNet with what extensions add for one pass. Clones share the model."""

    def __init__(self, model: nn.Module, model_options: dict[str, Any] | None = None) -> None:
        self.model = model
        self.model_options = model_options or {"transformer_options": {}}

    def clone(self) -> UnetPatcher:
        options = {**self.model_options, "transformer_options": {**self.model_options["transformer_options"]}}
        return UnetPatcher(self.model, options)

    def set_model_unet_function_wrapper(self, function: Any) -> None:
        """Let ``function(apply_model, call)`` make each call of the model."""
        self.model_options["model_function_wrapper"] = function


class ForgeObjects:
    def __init__(self, unet: UnetPatcher, clip: Any, vae: Any, clipvision: Any = None) -> None:
        self.unet, self.clip, self.vae, self.clipvision = unet, clip, vae, clipvision

    def shallow_copy(self) -> ForgeObjects:
        return ForgeObjects(self.unet, self.clip, self.vae, self.clipvision)


def equip(model: Any, engine: nn.Module) -> None:
    """Give ``model`` the objects around the modules of ``engine``."""
    towers = SimpleNamespace(cond_stage_model=_towers(engine))
    vae = SimpleNamespace(latent_channels=4, first_stage_model=engine.first_stage_model)
    levels = SimpleNamespace(sigmas=((1 - engine.alphas_cumprod) / engine.alphas_cumprod) ** 0.5)
    setattr(engine.model, "predictor" if flavour.loads_with_job else "model_sampling", levels)
    model.forge_objects = ForgeObjects(UnetPatcher(engine.model), towers, vae)
    model.forge_objects_original = model.forge_objects.shallow_copy()
    model.forge_objects_after_applying_lora = model.forge_objects.shallow_copy()


def _towers(engine: nn.Module) -> Any:
    """Return the text towers under the family's names; only the bigger one has a projection."""
    found = SimpleNamespace()
    for embedder in getattr(getattr(engine, "conditioner", None), "embedders", ()):
        wrapped = getattr(embedder, "wrapped", embedder)
        projection = getattr(getattr(wrapped, "model", None), "text_projection", None)
        if projection is not None:
            found.clip_g = _tower(projection)
            # The family's own towers take the place of these, of which nothing is left to be found.
            wrapped.__dict__["_tower"] = wrapped._modules.pop("model")
        elif hasattr(wrapped, "transformer"):
            found.clip_l = SimpleNamespace(transformer=wrapped.transformer)
    return found


def _tower(projection: torch.Tensor) -> Any:
    """Forge's projection is a layer of the transformer, that of the others a matrix beside it."""
    if not flavour.loads_with_job:
        return SimpleNamespace(text_projection=projection)
    layer = nn.Linear(*projection.shape, bias=False, device="meta")
    layer.weight = nn.Parameter(projection.T, requires_grad=False)
    return SimpleNamespace(transformer=SimpleNamespace(text_projection=layer))


class FakeInitialModel:
    """What Forge has before it has a model."""

    cond_stage_model = None
    chunk_length = 75


class ForgeDiffusionEngine:
    """Forge's model object."""

    tiling_enabled = False
    first_stage_model = cond_stage_model = None
    is_sd1 = is_sd2 = is_sd3 = is_sdxl = False

    def __init__(self, engine: nn.Module, info: Any) -> None:
        self._engine = engine
        equip(self, engine)
        self.is_sdxl, self.is_sd1 = engine.is_sdxl, engine.is_sd1
        self.extra_generation_params: dict[str, Any] = {}
        self.comments: list[str] = []
        self.sd_checkpoint_info, self.sd_model_hash = info, info.shorthash
        self.filename = info.filename

    def get_first_stage_encoding(self, z: torch.Tensor) -> torch.Tensor:
        return z

    @torch.inference_mode()
    def encode_first_stage(self, x: torch.Tensor) -> torch.Tensor:
        return self._engine.get_first_stage_encoding(self._engine.encode_first_stage(x))

    @torch.inference_mode()
    def decode_first_stage(self, z: torch.Tensor) -> torch.Tensor:
        return self._engine.decode_first_stage(z)

    @torch.inference_mode()
    def get_learned_conditioning(self, texts: list[str]) -> Any:
        return self._engine.get_learned_conditioning(texts)


def engine_of(model: Any) -> Any:
    """Return the model that computes: ``model``, or what Forge's object hides."""
    return model._engine if isinstance(model, ForgeDiffusionEngine) else model


def before_pass(model: Any) -> None:
    """Take away what extensions added for an earlier pass."""
    if flavour.chunks:
        model.forge_objects = model.forge_objects_after_applying_lora.shallow_copy()
