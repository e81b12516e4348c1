"""Circular shifts in time, another one for each spectrogram (AVSiam's and CAV-MAE's training augmentation).

Legend: B batch, T frames.
"""

import torch
from torch import Tensor

from seehear.errors import UsageError
from seehear.randomness import integers


def roll_time(spectrogram: Tensor, shift: Tensor) -> Tensor:
    """Shift each spectrogram later in time by its number of frames, the end coming round to the start.

    Args:
        spectrogram: `[B, T, ...]`.
        shift: `[B]` int64, any size and sign; `torch.roll` per sample.

    Raises:
        UsageError: if there is not one integer shift for each spectrogram.
    """
    if shift.shape != spectrogram.shape[:1] or shift.is_floating_point():
        raise UsageError(
            f"shifts {shift.dtype} {tuple(shift.shape)} for {len(spectrogram)} spectrograms", expected="one int64 each"
        )
    frames = torch.arange(spectrogram.shape[1], device=spectrogram.device)
    source = (frames[None, :] - shift[:, None]) % max(1, spectrogram.shape[1])
    rows = torch.arange(len(spectrogram), device=spectrogram.device)[:, None]
    return spectrogram[rows, source]


def random_shifts(keys: Tensor, reach: int, purpose: str = "roll") -> Tensor:
    """Keyed integers in [-reach, reach), `[B]` int64, for `keys [B]`; AVSiam's reach is the number of frames.

    Raises:
        UsageError: if `reach` is not positive.
    """
    if reach < 1:
        raise UsageError(f"a reach of {reach} frames", expected="at least 1")
    return integers(keys, 1, purpose).squeeze(1) % (2 * reach) - reach
