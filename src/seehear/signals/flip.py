"""Left-right mirroring of chosen pictures of a batch."""

import torch
from torch import Tensor

from seehear.errors import UsageError


def flip(images: Tensor, which: Tensor) -> Tensor:
    """Mirror the pictures where `which` is true: `[B, ..., W]` of any dtype, `which` bool `[B]`.

    Raises:
        UsageError: if `which` is not bool `[B]`.
    """
    if which.dtype != torch.bool or which.shape != images.shape[:1]:
        raise UsageError(
            f"which is {which.dtype} {tuple(which.shape)} for {len(images)} pictures", expected="one bool for each"
        )
    return torch.where(which.view(-1, *[1] * (images.ndim - 1)), images.flip(-1), images)
