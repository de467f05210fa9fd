"""Those who take a step: the plain UNets, the extension, diffusers' IP-Adapter, and a straightforward port."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F

from lib_instantstyle.method.attention import split_heads
from lib_instantstyle.method.projection import project_linear
from lib_instantstyle.method.schedule import Schedule
from lib_instantstyle.unet.call import UNetCall
from lib_instantstyle.unet.injection import Injection
from lib_instantstyle.unet.rows import RowCursor
from lib_instantstyle.unet.sites import Site, enumerate_sites
from lib_instantstyle.unet.terms import ScheduledTerms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from diffusers import UNet2DConditionModel
    from torch import nn

    from tests.bench.cases import Case
    from tests.bench.models import Inputs, Models

    Step = Callable[[Inputs], torch.Tensor]


class Plain:
    """The stand-in's UNet, unstyled."""

    def __init__(self, models: Models) -> None:
        self.unet = models.ldm()

    @torch.no_grad()
    def __call__(self, inputs: Inputs) -> torch.Tensor:
        """Take a step; return ``[rows, 4, height, width]``."""
        return self.unet(inputs.latent, timesteps=inputs.timesteps, context=inputs.context, y=inputs.vector)


class Ours(Plain):
    """The extension's injection, in place inside a ``with`` block."""

    def __init__(self, models: Models, case: Case) -> None:
        super().__init__(models)
        self._cursor = RowCursor()
        terms = case.terms(enumerate_sites(self.unet), models.adapter)
        self.sites = len({term.site.adapter_id for term in terms})
        scheduled = ScheduledTerms(terms, Schedule.of_pass(case.params, hires=False))
        self._injection = Injection(self.unet, [scheduled], self._read_call)

    def __enter__(self) -> Ours:
        self._injection.inject()
        return self

    def __exit__(self, *exception: object) -> None:
        self._injection.eject()

    def __call__(self, inputs: Inputs) -> torch.Tensor:
        """Take a step as the host does: it names the step's rows before it calls the UNet."""
        pictures = len(inputs.rows) // 2
        self._cursor.begin_step([1] * pictures, pictures, pictures)
        return super().__call__(inputs)

    def _read_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> UNetCall:
        return UNetCall(self._cursor.take(args[0].shape[0]), kwargs["timesteps"])


class Diffusers:
    """diffusers' UNet, with its IP-Adapter on the same plan if ``case`` is given.

    Where the scale is 0, diffusers 0.29 skips the image's attention; it projects the embedding and computes keys
    and values in every step.
    """

    def __init__(self, models: Models, case: Case | None = None) -> None:
        self.unet = models.diffusers(with_adapter=case is not None)
        self._pictures: torch.Tensor | None = None
        self._arguments: dict[str, Any] = {}
        if case is not None:
            self._plan(case, models)

    @torch.no_grad()
    def __call__(self, inputs: Inputs) -> torch.Tensor:
        """Take a step; return ``[rows, 4, height, width]``."""
        added: dict[str, Any] = {"text_embeds": inputs.pooled, "time_ids": inputs.numbers}
        if self._pictures is not None:
            seen = self._pictures[[int(row.conditional) for row in inputs.rows]]
            added["image_embeds"] = [seen]
        arguments = {"added_cond_kwargs": added, "cross_attention_kwargs": self._arguments or None}
        return self.unet(inputs.latent, inputs.timesteps, inputs.context, **arguments).sample

    def _plan(self, case: Case, models: Models) -> None:
        selected = {f"{site.name}.processor" for site in enumerate_sites(models.ldm()) if case.selects(site)}
        _set_scales(self.unet, selected, case.references if case.masked else None)
        embeddings, dtype = case.embeddings, models.dtype
        pictures = torch.cat(embeddings.style)  # [references, width]
        self._pictures = torch.stack((torch.zeros_like(pictures), pictures)).to(models.device, dtype)
        if case.masked:
            mask = case.mask.expand(1, case.references, -1, -1)
            self._arguments = {"ip_adapter_masks": [mask.to(models.device, dtype)]}


def _set_scales(unet: UNet2DConditionModel, selected: set[str], masked: int | None) -> None:
    """Give 1 to the processors that are selected and 0 to the others, as `set_ip_adapter_scale` does by block."""
    for name, processor in unet.attn_processors.items():
        if hasattr(processor, "scale"):
            scale = float(name in selected)
            processor.scale = [scale if masked is None else [scale] * masked]


class Port(Plain):
    """What one writes first: every cross-attention computes the image's keys and values anew in every step."""

    def __init__(self, models: Models, case: Case) -> None:
        super().__init__(models)
        weights, embeddings = models.adapter.read_projection(), case.embeddings
        tokens = torch.cat([project_linear(picture, weights) for picture in embeddings.style], dim=1)
        nothing = project_linear(embeddings.nothing, weights).repeat(1, case.references, 1)
        self._tokens = torch.cat((nothing, tokens)).to(models.device, models.dtype)
        self._mask = case.mask[None, None].to(models.device, models.dtype) if case.masked else None
        self._rows: list[int] = []
        sites = enumerate_sites(self.unet)
        matrices = dict(models.adapter.read_matrices(site.adapter_id for site in sites))
        for site in sites:
            moved = [matrix.to(models.device, models.dtype) for matrix in matrices[site.adapter_id]]
            self._hook(site, moved, self._tokens.new_tensor(float(case.selects(site))))

    def __call__(self, inputs: Inputs) -> torch.Tensor:
        self._rows = [int(row.conditional) for row in inputs.rows]
        return super().__call__(inputs)

    def _hook(self, site: Site, matrices: list[torch.Tensor], weight: torch.Tensor) -> None:
        attention: Any = site.attention
        kept: dict[str, Any] = {}

        def keep_grid(_module: nn.Module, args: tuple[torch.Tensor, ...]) -> None:
            kept["grid"] = args[0].shape[-2:]

        def keep_query(_module: nn.Module, _args: object, output: torch.Tensor) -> None:
            kept["query"] = output

        def add(_module: nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
            tokens = self._tokens[self._rows]
            key, value = (split_heads(F.linear(tokens, matrix), site.heads) for matrix in matrices)
            image = F.scaled_dot_product_attention(split_heads(kept.pop("query"), site.heads), key, value)
            image = image.transpose(1, 2).flatten(2)
            if self._mask is not None:
                image = image * F.interpolate(self._mask, kept["grid"], mode="area").flatten(2).transpose(1, 2)
            return (args[0] + torch.where(weight != 0, weight * image, 0.0), *args[1:])

        site.transformer.register_forward_pre_hook(keep_grid)
        attention.to_q.register_forward_hook(keep_query)
        attention.to_out[0].register_forward_pre_hook(add)
