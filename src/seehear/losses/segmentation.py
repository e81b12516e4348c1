"""Segmentation of what sounds: cross-entropy of every pixel (DeepAVFusion, arXiv 2312.01017; AVSBench, 2207.05042).

One class: binary cross-entropy of sounding against the rest (S4, MS3). Several: softmax over classes, the first being
the background (AVSS has 71).

Legend: B batch, C classes, H W picture.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from seehear.errors import UsageError


def segmentation_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """The mean over all pixels, a scalar, computed in fp32 at least.

    Args:
        logits: `[B, C, H, W]`.
        masks: `[B, H, W]`: 0 or 1 for one class, else the number of each pixel's class.

    Raises:
        UsageError: if the shapes do not fit.
    """
    if logits.ndim != 4 or masks.shape != logits[:, 0].shape:
        raise UsageError(f"masks {tuple(masks.shape)} for logits {tuple(logits.shape)}", expected="[B, H, W]")
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    if logits.shape[1] == 1:
        return F.binary_cross_entropy_with_logits(logits[:, 0], masks.to(logits.dtype))
    return F.cross_entropy(logits, masks.long())
