"""Noise on spectrograms, as the published AVSiam and CAV-MAE loaders add it in training.

Each spectrogram gets a matrix of U(0, 1) times one scalar U(0, 1) / 10, on the normalised values. The matrix is drawn
in steps of 2^-16 (one 64-bit draw makes four values): finer would cost four times as much and change nothing heard.

Legend: B batch, T frames, F mel bins.
"""

from torch import Tensor

from seehear.errors import UsageError
from seehear.randomness import short_integers, uniform

NOISE_LEVEL = 0.1


def add_noise(spectrogram: Tensor, keys: Tensor, level: float = NOISE_LEVEL, purpose: str = "noise") -> Tensor:
    """Add keyed noise of random strength, 0 to `level`: `[B, T, F]` floating point, `keys [B]` int64.

    Raises:
        UsageError: if there is not one key for each spectrogram.
    """
    if keys.shape != spectrogram.shape[:1]:
        raise UsageError(f"{tuple(keys.shape)} keys for {len(spectrogram)} spectrograms", expected="one for each")
    count = spectrogram[0].numel() if len(spectrogram) else 0
    matrix = (short_integers(keys, count, purpose).to(spectrogram.dtype) + 2.0**15) * 2.0**-16
    strength = uniform(keys, 1, f"{purpose}/strength").to(spectrogram.dtype) * level
    return spectrogram + (matrix * strength).view_as(spectrogram)
