"""Train every part of the miniature: `python -m tests.mini.train OUT`. Broken off, it goes on where it was."""

from __future__ import annotations

import argparse
import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from safetensors.torch import save_file

from tests.mini.assemble import WEIGHTS
from tests.mini.train.adapter import look_at_pictures, train_adapter
from tests.mini.train.autoencoder import latent_scale, train_decoder, train_encoder
from tests.mini.train.clip import train_texts, train_vision
from tests.mini.train.curves import draw_curves
from tests.mini.train.judge import train_judge
from tests.mini.train.unet import encode_pictures, train_unet

if TYPE_CHECKING:
    from collections.abc import Callable

Part = TypeVar("Part")
SEED = 0
CURVES = WEIGHTS.with_name("curves.png")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mini.train", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for states, curves and results of each part")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=2, help="of the CPU (2)")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="where the finished weights go")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(arguments.threads)
    export(train(arguments.out, torch.device(arguments.device)), arguments.weights)
    draw_curves(arguments.out, CURVES)


def train(out: Path, device: torch.device) -> dict[str, dict[str, torch.Tensor]]:
    """Train what ``out`` does not hold yet; return the tensors of each weights file."""
    half = _seeded(train_encoder, out, device)
    scale = latent_scale(half)
    texts = _seeded(train_texts, out)
    vision = _seeded(train_vision, out, texts.factors, device)
    pictures = encode_pictures(half, scale, out)
    unet = _seeded(train_unet, out, pictures, texts, device)
    embeddings = look_at_pictures(pictures, vision, out)
    adapter = _seeded(train_adapter, out, copy.deepcopy(unet), pictures, texts, embeddings)
    towers = {f"bigg.{key}": value for key, value in texts.bigg.state_dict().items()}
    towers |= {f"clip_l.{key}": value for key, value in texts.clip_l.state_dict().items()}
    return {
        "autoencoder": {**_seeded(train_decoder, out, half, device).state_dict(), "scale": torch.tensor(scale)},
        "texts": towers,
        "vision": vision.tower.state_dict(),
        "unet": unet.state_dict(),
        "adapter": adapter.exported(),
        "judge": _seeded(train_judge, out, device).state_dict(),
    }


def _seeded(part: Callable[..., Part], *arguments: Any) -> Part:
    """Run ``part`` from the same random start, whatever ran before it."""
    torch.manual_seed(SEED)
    return part(*arguments)


def export(parts: dict[str, dict[str, torch.Tensor]], folder: Path) -> None:
    """Write the weights in half precision."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, tensors in parts.items():
        kept = {key: value for key, value in tensors.items() if not key.endswith("position_ids")}
        halves = {key: _halved(key, value).contiguous() for key, value in kept.items()}
        save_file(halves, str(folder / f"{name}.safetensors"))


def _halved(key: str, value: torch.Tensor) -> torch.Tensor:
    return value.half() if value.is_floating_point() and key != "scale" else value


if __name__ == "__main__":
    main()
