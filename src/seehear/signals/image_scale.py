"""Picture values between what is stored (uint8, or 0 to 1) and what a network pretrained on ImageNet reads.

Legend: H W size; leading axes are free.
"""

import torch
from torch import Tensor

from seehear.errors import UsageError
from seehear.signals.tables import cached_table

IMAGE_MEAN = (0.485, 0.456, 0.406)  # of ImageNet's red, green, blue, 0 to 1
IMAGE_STD = (0.229, 0.224, 0.225)

Channels = tuple[float, float, float]


def normalize_image(
    images: Tensor, mean: Channels = IMAGE_MEAN, std: Channels = IMAGE_STD, dtype: torch.dtype = torch.float32
) -> Tensor:
    """`(x / 255 - mean) / std` for uint8 `[..., 3, H, W]`, giving `dtype`; floating point counts as 0 to 1 already.

    Floating-point pictures keep their dtype.

    Raises:
        UsageError: if the pictures are not RGB, or of another integer type.
    """
    _check_rgb(images)
    if images.dtype == torch.uint8:
        scale, offset = (_channels(images.device, dtype, tuple(c)) for c in _as_line(mean, std))
        return images.to(dtype).mul_(scale).sub_(offset)
    if not images.is_floating_point():
        raise UsageError(f"the pictures are {images.dtype}", expected="uint8, or floating point from 0 to 1")
    return (images - _channels(images.device, images.dtype, mean)) / _channels(images.device, images.dtype, std)


def denormalize_image(normalized: Tensor, mean: Channels = IMAGE_MEAN, std: Channels = IMAGE_STD) -> Tensor:
    """Inverse of `normalize_image` for people to look at: 0 to 1 where the values came from a picture, not cut.

    Raises:
        UsageError: if the pictures are not RGB.
    """
    _check_rgb(normalized)
    device, dtype = normalized.device, normalized.dtype
    return normalized * _channels(device, dtype, std) + _channels(device, dtype, mean)


def _as_line(mean: Channels, std: Channels) -> tuple[list[float], list[float]]:
    """Normalisation as `x * scale - offset` on 0..255."""
    return [1 / (255 * s) for s in std], [m / s for m, s in zip(mean, std, strict=True)]


@cached_table
def _channels(values: Channels) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).view(3, 1, 1)


def _check_rgb(images: Tensor) -> None:
    if images.ndim < 3 or images.shape[-3] != 3:
        raise UsageError(f"the pictures are {tuple(images.shape)}", expected="[..., 3, H, W]")
