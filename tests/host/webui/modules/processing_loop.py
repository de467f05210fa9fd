"""The batches of a job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from modules import (
    devices,
    extra_networks,
    forge_models,
    images,
    rng,
    sd_hijack,
    sd_models,
    sd_samplers_common,
    sd_unet,
    shared,
)
from modules import scripts as host_scripts
from modules.flavour import flavour
from modules.paths_internal import data_path, default_output_dir
from modules.processed import Processed, create_infotext
from modules.processing_overlay import postprocess_image


class DecodedSamples(list):
    """Latents that are decoded already."""

    already_decoded = True


class _Output:
    """Pictures and their parameters, in the order they come."""

    def __init__(self) -> None:
        self.images: list[Image.Image] = []
        self.infotexts: list[str] = []

    def add(self, image: Image.Image, infotext: str) -> None:
        if infotext:
            image.info["parameters"] = infotext
        self.images.append(image)
        self.infotexts.append(infotext)


def process_images_inner(p: Any) -> Processed:
    """Run all batches; ``postprocess`` comes only if nothing raised."""
    devices.torch_gc()
    p.sd_model_name = shared.sd_model.sd_checkpoint_info.name_for_extra
    p.sd_model_hash = shared.sd_model.sd_model_hash
    p.refiner_checkpoint_info = _refiner_info(p)
    sd_hijack.clear_notes()
    p.setup_prompts()
    p.setup_seeds()
    if p.scripts is not None:
        p.scripts.process(p)
    output = _Output()
    with torch.inference_mode() if flavour.chunks else torch.no_grad():
        with devices.autocast():
            p.init(p.all_prompts, p.all_seeds, p.all_subseeds)
            sd_unet.apply_unet()
        if shared.state.job_count == -1:
            shared.state.job_count = p.n_iter
        for number in range(p.n_iter):
            if not _run_batch(p, number, output):
                break
    processed = _finish(p, output)
    if p.scripts is not None:
        p.scripts.postprocess(p, processed)
    return processed


def _refiner_info(p: Any) -> Any:
    if p.refiner_checkpoint in (None, "", "None", "none"):
        return None
    info = sd_models.get_closet_checkpoint_match(p.refiner_checkpoint)
    if info is None:
        raise RuntimeError(f"Could not find checkpoint with name {p.refiner_checkpoint}")
    return info


def _run_batch(p: Any, number: int, output: _Output) -> bool:
    """Run one batch. False: the user wants no more."""
    state = shared.state
    p.iteration = number
    state.skipped = False
    if state.interrupted or state.stopping_generation:
        return False
    sd_models.take()
    _take_prompts(p, number)
    part = _part(p, number)
    p.seeds, p.subseeds = p.all_seeds[part], p.all_subseeds[part]
    p.rng = rng.ImageRNG(
        rng.latent_shape(p.width, p.height, forge_models.engine_of(shared.sd_model).latent_channels), p.seeds
    )
    _before_batch(p, number)
    p.setup_conds()
    if number == 0:
        text = create_infotext(p, p.all_prompts, p.all_seeds, p.all_subseeds, use_main_prompt=False, index=0)
        Path(data_path, "params.txt").write_text(text, encoding="utf-8")
    for comment in sd_hijack.notes().comments:
        p.comment(comment)
    with devices.autocast():
        samples = p.sample(p.c, p.uc, p.seeds, p.subseeds, p.subseed_strength, p.prompts)
    if p.scripts is not None:
        args = host_scripts.PostSampleArgs(samples)
        p.scripts.post_sample(p, args)
        samples = args.samples
    if not getattr(samples, "already_decoded", False):
        devices.test_for_nans(samples, "unet")
    _collect(p, number, decode(samples), output)
    state.nextjob()
    return True


def _part(p: Any, number: int) -> slice:
    return slice(number * p.batch_size, (number + 1) * p.batch_size)


def _take_prompts(p: Any, number: int) -> None:
    """Set this batch's prompts, with their tags."""
    part = _part(p, number)
    p.prompts, p.negative_prompts = p.all_prompts[part], p.all_negative_prompts[part]


def _before_batch(p: Any, number: int) -> None:
    batch = {"batch_number": number, "prompts": p.prompts, "seeds": p.seeds, "subseeds": p.subseeds}
    if p.scripts is not None:
        p.scripts.before_process_batch(p, **batch)
    p.parse_extra_network_prompts()
    batch["prompts"] = p.prompts
    if not p.disable_extra_networks:
        with devices.autocast():
            extra_networks.activate(p, p.extra_network_data)
    if p.scripts is not None:
        p.scripts.process_batch(p, **batch)


def decode(samples: Any) -> torch.Tensor:
    """Latents, or pictures already decoded, to pictures of 0..1."""
    if getattr(samples, "already_decoded", False):
        return torch.stack(list(samples)).float()
    rows = [sd_samplers_common.decode_first_stage(shared.sd_model, row[None])[0] for row in samples]
    return ((torch.stack(rows).float() + 1) / 2).clamp(0, 1)


def _collect(p: Any, number: int, x: torch.Tensor, output: _Output) -> None:
    if p.scripts is not None:
        p.scripts.postprocess_batch(p, x, batch_number=number)
        _take_prompts(p, number)  # infotexts keep the tags, but only of jobs that have scripts
        batch = host_scripts.PostprocessBatchListArgs(list(x))
        p.scripts.postprocess_batch_list(p, batch, batch_number=number)
        x = batch.images
    for index, tensor in enumerate(x):
        pixels = (255 * tensor.permute(1, 2, 0).float().cpu().numpy()).round().astype(np.uint8)
        image = postprocess_image(p, index, Image.fromarray(pixels))
        infotext = create_infotext(
            p, p.prompts, p.seeds, p.subseeds, index=index, all_negative_prompts=p.negative_prompts
        )
        if shared.opts.samples_save and not p.do_not_save_samples:
            folder = p.outpath_samples or default_output_dir
            images.save_image(image, folder, "", p.seeds[index], p.prompts[index], info=infotext, p=p)
        output.add(image, infotext)


def _finish(p: Any, output: _Output) -> Processed:
    first = 0
    count = len(output.images)
    wanted = shared.opts.return_grid and not p.do_not_save_grid
    if wanted and (count > 1 or (count == 1 and not shared.opts.grid_only_if_multiple)):
        text = create_infotext(p, p.all_prompts, p.all_seeds, p.all_subseeds, use_main_prompt=True)
        grid = images.image_grid(output.images, p.batch_size)
        grid.info["parameters"] = text
        output.images.insert(0, grid)
        output.infotexts.insert(0, text)
        first = 1
    if not p.disable_extra_networks and p.extra_network_data:
        extra_networks.deactivate(p, p.extra_network_data)
    devices.torch_gc()
    return Processed(
        p,
        output.images,
        p.all_seeds[0],
        output.infotexts[0] if output.infotexts else "",
        p.all_subseeds[0],
        index_of_first_image=first,
        infotexts=output.infotexts,
    )
