"""Crops of a batch, another box for each picture, resized to one size in two batched matrix products.

The same numbers as Pillow's `Image.resize(size, BICUBIC, box=box)`, which reads neighbours just outside the box where
the filter reaches over its edge. Boxes may lie between pixels.

Legend: B batch, C channels, H W size before, h w after.
"""

import torch
from torch import Tensor

from seehear.errors import UsageError
from seehear.signals.bicubic import bicubic_weights, interpolate_separably
from seehear.signals.precision import without_autocast
from seehear.signals.resize import check_images


def crop_resize(images: Tensor, boxes: Tensor, size: tuple[int, int], *, normalized: bool = False) -> Tensor:
    """`[B, C, H, W]`, uint8 or floating point, and `boxes [B, 4]` to `[B, C, h, w]` of the same dtype.

    Differentiable in floating-point pictures, and there in the boxes too.

    Args:
        images: the pictures.
        boxes: left, top, right, bottom in pixels; pixel i covers i to i + 1, so the whole picture is (0, 0, W, H).
            Parts outside the picture repeat its edge; right below left mirrors.
        size: `(height, width)` of the result in pixels.
        normalized: the boxes are shares of the width and height, 0 to 1.

    Raises:
        UsageError: if the shapes or dtypes do not fit.
    """
    dtype = check_images(images, size)
    if boxes.shape != (len(images), 4):
        raise UsageError(f"boxes {tuple(boxes.shape)} for {len(images)} pictures", expected=f"[{len(images)}, 4]")
    H, W = images.shape[2:]
    with without_autocast(images):
        left, top, right, bottom = boxes.to(dtype).unbind(1)
        if normalized:
            left, right, top, bottom = left * W, right * W, top * H, bottom * H
        rows, columns = bicubic_weights(top, bottom, H, size[0]), bicubic_weights(left, right, W, size[1])
        wide = images if images.dtype == torch.uint8 else images.to(dtype)
        return interpolate_separably(wide, rows, columns).to(images.dtype)
