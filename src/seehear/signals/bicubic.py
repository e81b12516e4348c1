"""Antialiased bicubic interpolation as two matrices, one for rows and one for columns.

Source: Keys' cubic with a = -0.5, stretched by the scale when shrinking: Pillow's BICUBIC. For uint8 Pillow rounds to
whole levels between the horizontal and the vertical pass; so does this, and lands within one level of it. (Pillow 13
turns the passes round where the width grows and the height shrinks; here columns always come first.)

Legend: B batch, C channels, H W size before, h w after.
"""

import torch
from torch import Tensor


def bicubic_weights(first: Tensor, last: Tensor, pixels: int, size: int) -> Tensor:
    """How much each of `pixels` inputs counts for each of `size` outputs, `[B, size, pixels]`, rows summing to 1.

    Args:
        first: `[B]` where the stretch to be shown begins; pixel i covers i to i + 1.
        last: `[B]` where it ends; before `first` mirrors. Outside the picture its edge is repeated.
        pixels: inputs.
        size: outputs.
    """
    scale = (last - first) / size
    steps = torch.arange(size, device=first.device, dtype=first.dtype) + 0.5
    centres = (first[:, None] + steps * scale[:, None]).clamp(0, pixels)
    inputs = torch.arange(pixels, device=first.device, dtype=first.dtype) + 0.5
    distance = (inputs - centres[:, :, None]).abs() / scale.abs().clamp_min(1)[:, None, None]
    weights = _cubic(distance)
    return weights / weights.sum(dim=2, keepdim=True)


def interpolate_separably(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Columns, then rows: `[B, C, H, W]` with `rows [B or 1, h, H]`, `columns [B or 1, w, W]` to `[B, C, h, w]`.

    uint8 is computed in the matrices' dtype and stays uint8; other pictures must have that dtype.
    """
    across = images.to(columns.dtype) @ columns.transpose(1, 2)[:, None]
    if images.dtype != torch.uint8:
        return rows[:, None] @ across
    return _levels(rows[:, None] @ _levels(across)).to(torch.uint8)


def _levels(values: Tensor) -> Tensor:
    return values.round().clamp(0, 255)


def _cubic(distance: Tensor) -> Tensor:
    """Keys' cubic, a = -0.5, of a distance of 0 or more: zero from 2 on."""
    near = (1.5 * distance - 2.5) * distance.square() + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return torch.where(distance < 1, near, torch.where(distance < 2, far, 0.0))
