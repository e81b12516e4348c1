"""SpecAugment: one stripe of mel bins and one of frames wiped out of each spectrogram.

Source: Park et al., "SpecAugment" (2019), without time warping. Stripe widths are uniform in 0 .. mask width, starts
uniform over the places that fit. AVSiam uses it in fine-tuning only, 48 bins and 192 frames, BEFORE normalisation,
wiping to 0 there.

Legend: B batch, T frames, F mel bins.
"""

import torch
from torch import Tensor

from seehear.errors import UsageError
from seehear.randomness import uniform

FREQUENCY_MASK = 48
TIME_MASK = 192


def spec_augment(
    spectrogram: Tensor,
    keys: Tensor,
    frequency_mask: int = FREQUENCY_MASK,
    time_mask: int = TIME_MASK,
    fill: float = 0.0,
    purpose: str = "SpecAugment",
) -> Tensor:
    """Wipe up to `frequency_mask` mel bins and `time_mask` frames of each spectrogram: `[B, T, F]`, `keys [B]` int64.

    A width of 0 leaves that axis alone; one beyond the axis counts as the axis.

    Raises:
        UsageError: if the shapes do not fit or a width is negative.
    """
    if spectrogram.ndim != 3 or keys.shape != spectrogram.shape[:1] or min(frequency_mask, time_mask) < 0:
        raise UsageError(
            f"{tuple(spectrogram.shape)} with {tuple(keys.shape)} keys, masks {frequency_mask} and {time_mask} wide",
            expected="[B, T, F], one key for each and widths of 0 or more",
        )
    draws = uniform(keys, 4, purpose)
    _, frames, bins = spectrogram.shape
    wiped = (
        _stripes(draws[:, :2], time_mask, frames)[:, :, None] | _stripes(draws[:, 2:], frequency_mask, bins)[:, None]
    )
    return spectrogram.masked_fill(wiped, fill)


def _stripes(draws: Tensor, widest: int, size: int) -> Tensor:
    """One stripe per sample over an axis: bool `[B, size]` from draws `[B, 2]` of width and start."""
    widest = min(widest, size)
    width = (draws[:, :1] * (widest + 1)).floor().clamp_max(widest)
    start = (draws[:, 1:] * (size - width + 1)).floor()
    places = torch.arange(size, device=draws.device)[None, :]
    return (places >= start) & (places < start + width)
