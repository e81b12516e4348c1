"""Frames of any size to the size that is needed, by antialiased bicubic interpolation of 8-bit values.

"squash" does not keep the aspect ratio (AVSiam, CAV-MAE); "crop" resizes the shorter side and keeps the centre.
Legend: T frames, H W wanted size, h w stored size.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seehear.contracts import FrameNeed


def fit(frames: np.ndarray, need: FrameNeed) -> Tensor:
    """Frames `[T, h, w, 3]` uint8 as `[T, 3, H, W]` uint8."""
    pictures = _channels_first(frames)
    height, width = pictures.shape[2:]
    if (height, width) == (need.height, need.width):
        return pictures
    if need.fit == "squash":
        return _resize(pictures, need.height, need.width)
    scale = max(need.height / height, need.width / width)
    tall, wide = max(need.height, round(height * scale)), max(need.width, round(width * scale))
    resized = pictures if (tall, wide) == (height, width) else _resize(pictures, tall, wide)
    top, left = (tall - need.height) // 2, (wide - need.width) // 2
    return resized[:, :, top : top + need.height, left : left + need.width]


def _resize(pictures: Tensor, height: int, width: int) -> Tensor:
    return functional.interpolate(pictures, size=(height, width), mode="bicubic", antialias=True, align_corners=False)


def shorter_side(frames: np.ndarray, size: int) -> np.ndarray:
    """Frames `[T, h, w, 3]` uint8 with the shorter side at `size` pixels, aspect ratio kept."""
    height, width = frames.shape[1:3]
    if min(height, width) == size:
        return frames
    scale = size / min(height, width)
    pictures = _channels_first(frames)
    resized = _resize(pictures, max(1, round(height * scale)), max(1, round(width * scale)))
    return resized.permute(0, 2, 3, 1).contiguous().numpy()


def _channels_first(frames: np.ndarray) -> Tensor:
    """`[T, 3, h, w]` of `[T, h, w, 3]` in the same memory (a copy of arrays that may not be written)."""
    return torch.from_numpy(frames if frames.flags.writeable else frames.copy()).permute(0, 3, 1, 2)
