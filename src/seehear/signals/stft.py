"""Short-time Fourier transform and its inverse: `torch.stft` with this project's conventions fixed.

Periodic Hann window, frames centred on multiples of the shift (the ends are reflected), one-sided, not normalised.
With a shift of at most half the size the round trip is exact up to rounding.

Legend: B batch, S samples, N FFT size, K = N/2 + 1 bins, T = S // shift + 1 frames.
"""

import torch
from torch import Tensor

from seehear.errors import UsageError
from seehear.signals.precision import without_autocast, working_dtype
from seehear.signals.tables import cached_table


@cached_table
def _hann(size: int) -> Tensor:
    return torch.hann_window(size, periodic=True, dtype=torch.float64)


def stft(waveform: Tensor, size: int, shift: int) -> Tensor:
    """Spectrum of each frame: `[B, S]` floating point to complex `[B, K, T]` (half types give complex64).

    Args:
        waveform: at least `size // 2 + 1` samples long.
        size: N, samples in a frame and in its FFT.
        shift: samples from one frame to the next.

    Raises:
        UsageError: if the waveform is not floating point `[B, S]`, too short, or the shift is over half the size.
    """
    _check_shift(size, shift)
    if waveform.ndim != 2 or waveform.shape[1] <= size // 2:
        raise UsageError(f"the waveform is {tuple(waveform.shape)}", expected=f"[B, S] with S above {size // 2}")
    dtype = working_dtype(waveform, "the waveform")
    window = _hann(waveform.device, dtype, size)
    with without_autocast(waveform):
        return torch.stft(waveform.to(dtype), size, shift, window=window, center=True, return_complex=True)


def istft(spectrum: Tensor, shift: int, samples: int | None = None) -> Tensor:
    """Waveform `[B, S]` of a spectrum `[B, K, T]` made by `stft` with the same shift.

    Args:
        spectrum: complex; the size is read from K.
        shift: as in `stft`.
        samples: S. None gives `(T - 1) * shift`, which loses up to `shift - 1` samples at the end.

    Raises:
        UsageError: if the spectrum is not complex `[B, K, T]` or the shift is over half the size.
    """
    if spectrum.ndim != 3 or not spectrum.is_complex():
        raise UsageError(f"the spectrum is {tuple(spectrum.shape)} {spectrum.dtype}", expected="complex [B, K, T]")
    size = 2 * (spectrum.shape[1] - 1)
    _check_shift(size, shift)
    window = _hann(spectrum.device, spectrum.real.dtype, size)
    with without_autocast(spectrum):
        return torch.istft(spectrum, size, shift, window=window, center=True, length=samples)


def _check_shift(size: int, shift: int) -> None:
    if size < 2 or size % 2 or not 1 <= shift <= size // 2:
        raise UsageError(
            f"frames of {size} samples every {shift}", expected="an even size and a shift of at most half of it"
        )
