"""The triangular mel filter bank of Kaldi.

Source: Kaldi, feat/mel-computations.cc, as documented: `mel(f) = 1127 ln(1 + f / 700)`, triangles equally spaced and
straight in mel (not in Hz), peak 1, over the centre frequencies of the FFT bins 0 to N/2 - 1. A bin exactly on a
triangle's edge gets weight 0. No vocal-tract warping.

Legend: N FFT length, K = N/2 FFT bins, F mel bins.
"""

import torch
from torch import Tensor

from seehear.errors import UsageError
from seehear.signals.tables import cached_table


def mel_from_hertz(frequency: Tensor) -> Tensor:
    """Mel of a frequency in Hz, any shape."""
    return 1127.0 * torch.log1p(frequency / 700.0)


@cached_table
def mel_bank(sample_rate: int, size: int, num_mel_bins: int, low_frequency: float, high_frequency: float) -> Tensor:
    """Weights `[K, F]` for an FFT of `size` samples; call as `mel_bank(device, dtype, *parameters)`.

    Raises:
        UsageError: on no mel bins, or edges out of order.
    """
    nyquist = sample_rate / 2
    high = high_frequency if high_frequency > 0 else nyquist + high_frequency
    if num_mel_bins < 1 or not 0 <= low_frequency < high <= nyquist:
        raise UsageError(
            f"{num_mel_bins} mel bins from {low_frequency} to {high} Hz",
            expected=f"at least one bin and edges between 0 and {nyquist} Hz, in order",
        )
    bins = mel_from_hertz(torch.arange(size // 2, dtype=torch.float64) * (sample_rate / size))[:, None]
    ends = mel_from_hertz(torch.tensor([low_frequency, high], dtype=torch.float64))
    step = (ends[1] - ends[0]) / (num_mel_bins + 1)
    left = ends[0] + step * torch.arange(num_mel_bins, dtype=torch.float64)
    return torch.minimum(bins - left, left + 2 * step - bins).clamp_min(0) / step
