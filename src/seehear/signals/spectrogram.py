"""Spectrograms brought to the length and the scale that a network reads.

Source: AVSiam's published data loader: pad with zeros or cut to a fixed number of frames FIRST, then
`(x + 5.081) / 4.4849`. AST and AudioMAE divide by twice the deviation; AVSiam and CAV-MAE do not.
So padding is not zero for the network: it is `5.081 / 4.4849 = 1.133`.

Legend: B batch, T frames, F mel bins.
"""

import torch.nn.functional as F
from torch import Tensor

from seehear.errors import UsageError

SPECTROGRAM_MEAN = -5.081
SPECTROGRAM_STD = 4.4849


def fit_frames(spectrogram: Tensor, frames: int) -> Tensor:
    """Zero-pad at the end, or cut, to `frames` frames: `[B, T, F] -> [B, frames, F]`. Do it before normalising.

    Raises:
        UsageError: if the spectrogram is not `[B, T, F]` or `frames` is negative.
    """
    if spectrogram.ndim != 3 or frames < 0:
        raise UsageError(f"a spectrogram {tuple(spectrogram.shape)} to fit in {frames} frames", expected="[B, T, F]")
    return F.pad(spectrogram, (0, 0, 0, frames - spectrogram.shape[1]))


def normalize_spectrogram(spectrogram: Tensor, mean: float = SPECTROGRAM_MEAN, std: float = SPECTROGRAM_STD) -> Tensor:
    """`(x - mean) / std`, any shape; the defaults are AVSiam's and CAV-MAE's AudioSet figures."""
    return (spectrogram - mean) / std


def denormalize_spectrogram(normalized: Tensor, mean: float = SPECTROGRAM_MEAN, std: float = SPECTROGRAM_STD) -> Tensor:
    """Inverse of `normalize_spectrogram`."""
    return normalized * std + mean
