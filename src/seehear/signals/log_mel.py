"""Logarithmic mel spectrogram on the HTK scale, batched, on any device.

Source: DeepAVFusion's released loader (arXiv 2312.01017): 16 kHz, windows of 800 samples (50 ms, periodic Hann, ends
reflected) every 250 (1/64 s), power, 128 triangles from 0 Hz to half the rate, `log10(x + 1e-7)`; 3 s give 193 frames,
of which the last is dropped. Triangles are equally spaced in mel(f) = 2595 log10(1 + f / 700), straight in Hz, peak 1.
The lowest ones are narrower than the 20 Hz between bins, and some hold no bin: these stay at log10(1e-7) = -7.

Legend: B batch, S samples, K = size / 2 + 1 bins, T = S // shift + 1 frames, F mel bins.
"""

import torch
from torch import Tensor

from seehear.contracts import SAMPLE_RATE
from seehear.errors import UsageError
from seehear.signals.precision import without_autocast
from seehear.signals.stft import stft
from seehear.signals.tables import cached_table

MEL_FLOOR = 1e-7


@cached_table
def htk_bank(rate: int, size: int, mel_bins: int) -> Tensor:
    """Weights `[K, F]` of triangles over the bins of an FFT of `size`; call as `htk_bank(device, dtype, *parameters)`.

    Raises:
        UsageError: on no mel bins or an odd size.
    """
    if mel_bins < 1 or size < 2 or size % 2:
        raise UsageError(f"{mel_bins} mel bins over {size} samples", expected="at least one bin, an even size")
    highest = 2595 * torch.log10(torch.tensor(1 + rate / 1400, dtype=torch.float64))
    corners = 700 * (10 ** (torch.linspace(0, 1, mel_bins + 2, dtype=torch.float64) * highest / 2595) - 1)
    low, peak, high = (corners[i : mel_bins + i] for i in range(3))
    hertz = torch.arange(size // 2 + 1, dtype=torch.float64)[:, None] * (rate / size)
    return torch.minimum((hertz - low) / (peak - low), (high - hertz) / (high - peak)).clamp_min(0)


def log_mel(
    waveform: Tensor, size: int = 800, shift: int = 250, mel_bins: int = 128, rate: int = SAMPLE_RATE
) -> Tensor:
    """`log10(mel power + 1e-7)`, `[B, T, F]`, of `waveform [B, S]` from -1 to 1.

    Args:
        waveform: floating point, more than half a window long.
        size: samples in a window and its FFT.
        shift: samples from one window to the next.
        mel_bins: F.
        rate: samples per second.

    Raises:
        UsageError: as `stft` and `htk_bank`.
    """
    spectrum = stft(waveform, size, shift)
    power = spectrum.real.square() + spectrum.imag.square()
    bank = htk_bank(power.device, power.dtype, rate, size, mel_bins)
    with without_autocast(power):
        return (power.transpose(1, 2) @ bank + MEL_FLOOR).log10()
