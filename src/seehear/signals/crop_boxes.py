"""Boxes for random resized crops, drawn by keyed randomness.

Source: Szegedy et al., "Going deeper with convolutions" (2015), section 6, in the form every vision library uses: a
uniform share of the area; a log-uniform aspect ratio; the first of ten attempts that fits; else the largest centred box
whose ratio is allowed. Sides and corners are whole pixels.

Legend: B batch, A attempts.
"""

import math

import torch
from torch import Tensor

from seehear.errors import UsageError
from seehear.randomness import uniform

_ATTEMPTS = 10


def random_resized_crop_boxes(
    keys: Tensor,
    height: int,
    width: int,
    scale: tuple[float, float] = (0.08, 1.0),
    ratio: tuple[float, float] = (3 / 4, 4 / 3),
    purpose: str = "random resized crop",
) -> Tensor:
    """Boxes for `crop_resize`, float32 `[B, 4]`: left, top, right, bottom in pixels of a `height` x `width` picture.

    Args:
        keys: `[B]` int64 from `Randomness.keys`.
        height: of the pictures in pixels.
        width: of the pictures in pixels.
        scale: smallest and largest share of the area.
        ratio: smallest and largest width / height.
        purpose: another purpose draws other boxes.

    Raises:
        UsageError: on a range that is not positive and in order, or an empty picture.
    """
    if not (0 < scale[0] <= scale[1] and 0 < ratio[0] <= ratio[1] and height > 0 and width > 0):
        raise UsageError(
            f"crops of scale {scale} and ratio {ratio} of a {height} x {width} picture",
            expected="positive ranges, smallest first, and a picture of at least one pixel",
        )
    draws = uniform(keys, 2 * _ATTEMPTS + 2, purpose)
    box_width, box_height = _first_that_fits(draws[:, :-2], height, width, scale, ratio)
    left = (draws[:, -2] * (width - box_width + 1)).floor().minimum(width - box_width)
    top = (draws[:, -1] * (height - box_height + 1)).floor().minimum(height - box_height)
    fallback_width, fallback_height = _largest(height, width, ratio)
    none_fits = box_width == 0
    box_width = torch.where(none_fits, float(fallback_width), box_width)
    box_height = torch.where(none_fits, float(fallback_height), box_height)
    left = torch.where(none_fits, float((width - fallback_width) // 2), left)
    top = torch.where(none_fits, float((height - fallback_height) // 2), top)
    return torch.stack([left, top, left + box_width, top + box_height], dim=1)


def _first_that_fits(
    draws: Tensor, height: int, width: int, scale: tuple[float, float], ratio: tuple[float, float]
) -> tuple[Tensor, Tensor]:
    """Width and height `[B]` of the first attempt inside the picture, 0 where there is none; draws `[B, 2 A]`."""
    areas = height * width * (scale[0] + (scale[1] - scale[0]) * draws[:, :_ATTEMPTS])
    low, high = math.log(ratio[0]), math.log(ratio[1])
    ratios = (low + (high - low) * draws[:, _ATTEMPTS:]).exp()
    widths, heights = (areas * ratios).sqrt().round(), (areas / ratios).sqrt().round()
    fits = (widths >= 1) & (widths <= width) & (heights >= 1) & (heights <= height)
    first = fits.byte().argmax(dim=1, keepdim=True)
    found = fits.gather(1, first)
    return (widths.gather(1, first) * found).squeeze(1), (heights.gather(1, first) * found).squeeze(1)


def _largest(height: int, width: int, ratio: tuple[float, float]) -> tuple[int, int]:
    """Width and height of the largest box whose width / height lies within `ratio`."""
    box_width = min(width, max(1, round(height * ratio[1])))
    box_height = min(height, max(1, round(width / ratio[0])))
    return box_width, box_height
