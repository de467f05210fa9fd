"""Classifier-free guidance: which rows the UNet sees in a step, in which order and in how many calls."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from modules import forge_sampling, prompt_parser, script_callbacks, shared
from modules.cond_tensors import concatenate_conds, fit_cond, pad_cond, slice_cond
from modules.flavour import flavour
from modules.script_callbacks import AfterCFGCallbackParams, CFGDenoisedParams, CFGDenoiserParams
from modules.scripts_base import MaskBlendArgs


class InterruptedException(BaseException):
    """Not an Exception, so that no handler on the way swallows it."""


class _Rows(NamedTuple):
    """The rows of one step: those of the prompts first, picture by picture, then one a picture for the negative."""

    x: torch.Tensor
    sigma: torch.Tensor
    image_cond: torch.Tensor
    cond: Any
    uncond: Any


class CFGDenoiser(torch.nn.Module):
    """Denoises with and without the prompt and extrapolates from one to the other."""

    mask_before_denoising = False

    def __init__(self, sampler: Any) -> None:
        super().__init__()
        self.model_wrap: Any = None
        self.mask = self.nmask = self.init_latent = None
        self.steps: int | None = None
        self.total_steps: int | None = None
        self.step = 0
        self.image_cfg_scale: float | None = None
        self.padded_cond_uncond = self.padded_cond_uncond_v0 = False
        self.sampler = sampler
        self.p: Any = None
        self.cond_scale_miltiplier = 1.0

    @property
    def inner_model(self) -> Any:
        raise NotImplementedError

    def timestep_of(self, sigma: torch.Tensor) -> float:
        """Return the timestep of a step's noise level."""
        raise NotImplementedError

    def get_pred_x0(self, x_in: torch.Tensor, x_out: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        return x_out

    def update_inner_model(self) -> None:
        """Take up the model and the conditionings that a refiner switch brought."""
        self.model_wrap = None
        c, uc = self.p.get_conds()
        self.sampler.sampler_extra_args["cond"] = c
        self.sampler.sampler_extra_args["uncond"] = uc

    def forward(
        self, x: Any, sigma: Any, uncond: Any, cond: Any, cond_scale: float, s_min_uncond: float, image_cond: Any
    ) -> torch.Tensor:
        from modules import sd_samplers_common

        if shared.state.interrupted or shared.state.skipped:
            raise InterruptedException
        if sd_samplers_common.apply_refiner(self, sigma):
            cond, uncond = self.sampler.sampler_extra_args["cond"], self.sampler.sampler_extra_args["uncond"]
        conds_list, tensor = prompt_parser.reconstruct_multicond_batch(cond, self.step)
        uncond = None if uncond is None else prompt_parser.reconstruct_cond_batch(uncond, self.step)
        if self.mask_before_denoising:
            x = self._blend(x, sigma)
        if flavour.chunks:
            rows = self._announce(_Rows(x, sigma, image_cond, tensor, uncond))
            denoised = self._in_joined_chunks(rows, conds_list, cond_scale, s_min_uncond)
        else:
            rows = self._expand(x, sigma, image_cond, tensor, uncond, [len(parts) for parts in conds_list])
            rows = self._announce(rows)
            denoised = self._in_order(rows, conds_list, cond_scale, self._skips_uncond(sigma, s_min_uncond))
        if not self.mask_before_denoising:
            denoised = self._blend(denoised, sigma)
        self.sampler.last_latent = self.get_pred_x0(x, denoised, sigma)
        after = AfterCFGCallbackParams(denoised, shared.state.sampling_step, shared.state.sampling_steps)
        script_callbacks.cfg_after_cfg_callback(after)
        self.step += 1
        return after.x

    def _in_order(self, rows: _Rows, conds_list: list, cond_scale: float, skip: bool) -> torch.Tensor:
        x_out = self._denoise(self._pad(rows), len(conds_list), skip)
        x_out = self._report_denoised(x_out)
        if skip:
            x_out = torch.cat([x_out, x_out[[parts[0][0] for parts in conds_list]]])
        return self.combine_denoised(x_out, conds_list, cond_scale * self.cond_scale_miltiplier)

    def _in_joined_chunks(self, rows: _Rows, conds_list: list, scale: float, s_min_uncond: float) -> torch.Tensor:
        """Denoise as the Forge family does, where ``cfg_denoised`` never comes."""
        if self.p.is_hr_pass and flavour.hires_cfg is not None:
            scale = self.p.hr_cfg
        if self._skips_uncond(rows.sigma, s_min_uncond):
            scale = 1.0
        chunks = forge_sampling.chunks_of(rows.cond, rows.uncond, conds_list)
        options = shared.sd_model.forge_objects.unet.model_options
        return forge_sampling.denoise(self._apply_model, chunks, rows.x, rows.sigma, scale, options)

    def _apply_model(self, x: torch.Tensor, t: torch.Tensor, **c: Any) -> torch.Tensor:
        text = {"crossattn": c["c_crossattn"], "vector": c["y"]} if "y" in c else {"c_crossattn": [c["c_crossattn"]]}
        return self.inner_model(x, t, cond={**text, "transformer_options": c["transformer_options"]})

    def _expand(self, x: Any, sigma: Any, image_cond: Any, cond: Any, uncond: Any, repeats: list[int]) -> _Rows:
        counts = torch.tensor(repeats, device=x.device)
        parts = [torch.cat([t.repeat_interleave(counts, dim=0), t]) for t in (x, sigma, image_cond)]
        return _Rows(*parts, cond, uncond)

    def _announce(self, rows: _Rows) -> _Rows:
        state = shared.state
        params = CFGDenoiserParams(
            rows.x, rows.image_cond, rows.sigma, state.sampling_step, state.sampling_steps, rows.cond, rows.uncond, self
        )
        script_callbacks.cfg_denoiser_callback(params)
        return _Rows(params.x, params.sigma, params.image_cond, params.text_cond, params.text_uncond)

    def _report_denoised(self, x_out: torch.Tensor) -> torch.Tensor:
        state = shared.state
        params = CFGDenoisedParams(x_out, state.sampling_step, state.sampling_steps, self.inner_model)
        script_callbacks.cfg_denoised_callback(params)
        return params.x

    def _skips_uncond(self, sigma: torch.Tensor, s_min_uncond: float) -> bool:
        opts, params = shared.opts, self.p.extra_generation_params
        if opts.skip_early_cond and self.step / self.total_steps <= opts.skip_early_cond:
            params["Skip Early CFG"] = opts.skip_early_cond
            return True
        odd_enough = self.step % 2 or opts.s_min_uncond_all
        if odd_enough and s_min_uncond > 0 and sigma[0] < s_min_uncond:
            params["NGMS"] = s_min_uncond
            return True
        return False

    def _pad(self, rows: _Rows) -> _Rows:
        """Make both texts equally long, if the settings ask for it."""
        opts, missing = shared.opts, rows.cond.shape[1] - rows.uncond.shape[1]
        if missing == 0 or not (opts.pad_cond_uncond or opts.pad_cond_uncond_v0):
            return rows
        if opts.pad_cond_uncond_v0:
            self.padded_cond_uncond_v0 = True
            return rows._replace(uncond=fit_cond(rows.uncond, rows.cond.shape[1]))
        self.padded_cond_uncond = True
        empty = shared.sd_model.cond_stage_model_empty_prompt
        repeats = abs(missing) // empty.shape[1]
        if missing < 0:
            return rows._replace(cond=pad_cond(rows.cond, repeats, empty))
        return rows._replace(uncond=pad_cond(rows.uncond, repeats, empty))

    def _denoise(self, rows: _Rows, batch_size: int, skip: bool) -> torch.Tensor:
        count = rows.cond.shape[0]
        if skip:
            kept = _Rows(*(part[: -rows.uncond.shape[0]] for part in rows[:3]), rows.cond, None)
            return self._in_chunks(kept, kept.cond, 0, count if shared.opts.batch_cond_uncond else batch_size)
        if rows.cond.shape[1] == rows.uncond.shape[1]:
            both = concatenate_conds(rows.cond, rows.uncond)
            return self._in_chunks(rows, both, 0, both.shape[0] if shared.opts.batch_cond_uncond else batch_size)
        size = batch_size * 2 if shared.opts.batch_cond_uncond else batch_size
        with_prompt = self._in_chunks(rows, rows.cond, 0, size)
        return torch.cat([with_prompt, self._in_chunks(rows, rows.uncond, count, rows.uncond.shape[0])])

    def _in_chunks(self, rows: _Rows, cond: Any, offset: int, size: int) -> torch.Tensor:
        """Call the model for ``cond``, whose first row is number ``offset`` of the step."""
        out = []
        for start in range(0, cond.shape[0], size):
            chunk = slice(start, min(start + size, cond.shape[0]))
            place = slice(offset + chunk.start, offset + chunk.stop)
            entry = self._condition(slice_cond(cond, chunk), rows.image_cond[place])
            out.append(self.inner_model(rows.x[place], rows.sigma[place], cond=entry))
        return torch.cat(out)

    @staticmethod
    def _condition(cond: Any, image_cond: torch.Tensor) -> dict[str, Any]:
        if isinstance(cond, dict):
            return {**cond, "c_concat": [image_cond]}
        return {"c_crossattn": [cond], "c_concat": [image_cond]}

    def combine_denoised(self, x_out: torch.Tensor, conds_list: list, cond_scale: float) -> torch.Tensor:
        uncond = x_out[-len(conds_list) :]
        denoised = uncond.clone()
        for i, parts in enumerate(conds_list):
            for row, weight in parts:
                denoised[i] += (x_out[row] - uncond[i]) * (weight * cond_scale)
        return denoised

    def _blend(self, latent: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """Keep what the mask protects."""
        if self.mask is None:
            return latent
        blended = latent * self.nmask + self.init_latent * self.mask
        if self.p.scripts is None:
            return blended
        mba = MaskBlendArgs(latent, self.nmask, self.init_latent, self.mask, blended, self, sigma)
        self.p.scripts.on_mask_blend(self.p, mba)
        return mba.blended_latent
