"""Log spectrogram of the sound-localisation systems, batched, on any device.

Source: the released loaders of EZ-VSL and its kin, which take SciPy's `signal.spectrogram` with its defaults: segments
of 512 samples every 238, each freed of its mean, a periodic Tukey window that tapers an eighth at either end, the
one-sided power density `2 |X|^2 / (rate * sum w^2)` (without the 2 at 0 and at half the rate). Then
`log(S + 1e-7) / 12`. 3 s at 16 kHz give 257 x 200.

Legend: B batch, S samples, K = size / 2 + 1 bins, T = (S - size) // shift + 1 segments.
"""

import math

import torch
from torch import Tensor

from seehear.contracts import SAMPLE_RATE
from seehear.errors import UsageError
from seehear.signals.precision import without_autocast, working_dtype
from seehear.signals.tables import cached_table

DENSITY_FLOOR = 1e-7
LOG_SCALE = 12.0
TAPERED = 0.25  # of the window, both ends together


@cached_table
def _tukey(size: int) -> Tensor:
    """Periodic: the first `size` points of the symmetric window with one point more."""
    place = torch.arange(size, dtype=torch.float64) / size
    edge = torch.minimum(place, 1 - place) * 2 / TAPERED  # 0 at the ends, 1 where the taper is over
    return torch.where(edge < 1, 0.5 * (1 - torch.cos(math.pi * edge)), 1.0)


def power_density(waveform: Tensor, size: int = 512, shift: int = 238, rate: int = SAMPLE_RATE) -> Tensor:
    """Power density `[B, K, T]` per hertz of `waveform [B, S]`, as SciPy's `spectrogram` gives it.

    Args:
        waveform: floating point.
        size: samples in a segment, even.
        shift: samples from one segment to the next.
        rate: samples per second.

    Raises:
        UsageError: if the waveform is not floating point `[B, S]` of at least one segment, or the size is odd.
    """
    if size < 2 or size % 2 or shift < 1:
        raise UsageError(f"segments of {size} samples every {shift}", expected="an even size, a shift of at least 1")
    if waveform.ndim != 2 or waveform.shape[1] < size:
        raise UsageError(f"the waveform is {tuple(waveform.shape)}", expected=f"[B, S] with S of at least {size}")
    dtype = working_dtype(waveform, "the waveform")
    window = _tukey(waveform.device, dtype, size)
    with without_autocast(waveform):
        segments = waveform.to(dtype).unfold(1, size, shift)
        spectrum = torch.fft.rfft((segments - segments.mean(dim=2, keepdim=True)) * window)
        power = spectrum.real.square() + spectrum.imag.square()
        scale = power.new_full((size // 2 + 1,), 2.0)
        scale[0] = scale[-1] = 1.0
        return (power * (scale / (rate * window.square().sum()))).transpose(1, 2)


def log_spectrogram(waveform: Tensor, size: int = 512, shift: int = 238, rate: int = SAMPLE_RATE) -> Tensor:
    """`log(S + 1e-7) / 12`, `[B, K, T]`, of `waveform [B, S]` from -1 to 1; arguments as of `power_density`.

    Raises:
        UsageError: as `power_density`.
    """
    return (power_density(waveform, size, shift, rate) + DENSITY_FLOOR).log() / LOG_SCALE
