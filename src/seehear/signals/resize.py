"""Pictures brought to another size: bicubic with antialiasing, as Pillow's BICUBIC.

uint8 pictures stay uint8: within two levels of Pillow (torch's fixed-point kernel on the CPU, matrices elsewhere, where
torch's own kernel is not deterministic in the backward pass). Floating point is not cut to the range.

Legend: B batch, C channels, H W size before, h w after.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from seehear.errors import UsageError
from seehear.signals.bicubic import bicubic_weights, interpolate_separably
from seehear.signals.precision import without_autocast, working_dtype
from seehear.signals.tables import cached_table


def resize(images: Tensor, size: tuple[int, int], antialias: bool = True) -> Tensor:
    """`[B, C, H, W]`, uint8 or floating point, to `[B, C, h, w]` of the same dtype. An equal size is returned as it is.

    Args:
        images: the pictures.
        size: `(height, width)` in pixels. The aspect ratio is the caller's business.
        antialias: widen the filter when shrinking. False gives torch's plain bicubic (a = -0.75): not Pillow's.

    Raises:
        UsageError: if the pictures are not `[B, C, H, W]` uint8 or floating point, or the size is not positive.
    """
    dtype = check_images(images, size)
    if images.shape[2:] == torch.Size(size):
        return images
    wide = images if images.dtype == torch.uint8 else images.to(dtype)
    with without_autocast(images):
        if images.device.type == "cpu" or not antialias:
            return _by_torch(wide, size, antialias).to(images.dtype)
        rows, columns = (
            _weights(images.device, dtype, *ends) for ends in zip(images.shape[2:], size, strict=True)
        )  # [1, h, H], [1, w, W]
        return interpolate_separably(wide, rows, columns).to(images.dtype)


def fit_pictures(images: Tensor, height: int, width: int, fit: Literal["squash", "crop"] = "squash") -> Tensor:
    """`[B, C, H, W]` to `[B, C, height, width]`: what a `contracts.FrameNeed` asks for.

    "squash" ignores the aspect ratio (AVSiam); "crop" resizes until the picture just covers the target and keeps the
    centre (CAV-MAE).

    Raises:
        UsageError: as `resize`, or on another `fit`.
    """
    if fit == "squash":
        return resize(images, (height, width))
    if fit != "crop":
        raise UsageError(f"fit {fit!r}", expected="'squash' or 'crop'")
    check_images(images, (height, width))
    H, W = images.shape[2:]
    scale = max(height / H, width / W)
    cover = (max(height, round(H * scale)), max(width, round(W * scale)))
    top, left = (cover[0] - height) // 2, (cover[1] - width) // 2
    return resize(images, cover)[:, :, top : top + height, left : left + width]


def check_images(images: Tensor, size: tuple[int, int]) -> torch.dtype:
    """The dtype to compute in.

    Raises:
        UsageError: if `images` is not `[B, C, H, W]` uint8 or floating point with pixels in it, or `size` is empty.
    """
    if images.ndim != 4 or min(images.shape[2:], default=0) < 1 or min(size) < 1:
        raise UsageError(
            f"pictures {tuple(images.shape)} to {tuple(size)}", expected="[B, C, H, W] and a positive size"
        )
    return torch.float32 if images.dtype == torch.uint8 else working_dtype(images, "the picture")


def _by_torch(images: Tensor, size: tuple[int, int], antialias: bool) -> Tensor:
    """Torch's own kernel: sparse, so the quickest on the CPU, where it also takes uint8."""
    if images.dtype == torch.uint8 and images.device.type != "cpu":
        return _by_torch(images.float(), size, antialias).round().clamp(0, 255)
    return F.interpolate(images, size=size, mode="bicubic", align_corners=False, antialias=antialias)


@cached_table
def _weights(pixels: int, size: int) -> Tensor:
    """`[1, size, pixels]` for a whole picture."""
    whole = torch.tensor([0.0, pixels], dtype=torch.float64)
    return bicubic_weights(whole[:1], whole[1:], pixels, size)
