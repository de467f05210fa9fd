"""A picture as the VAE takes it."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageOps


def pixels(image: Image.Image, size: tuple[int, int]) -> torch.Tensor:
    """Return an RGB ``image`` ``[1, 3, height, width]`` in 0…1, resized and cut to width and height ``size``.

    Nothing is squashed: what stands over a slightly other aspect ratio is cut off evenly.
    """
    fitted = image if image.size == size else ImageOps.fit(image, size, Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(fitted, dtype=np.float32) / 255.0).permute(2, 0, 1).unsqueeze(0)
