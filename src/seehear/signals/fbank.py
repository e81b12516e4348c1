"""Log-mel filter banks as Kaldi computes them, batched, differentiable, on any device.

Source: Kaldi's feature extraction (feat/feature-window.cc, feature-fbank.cc, mel-computations.cc), described by its
documentation; settings of the published audio spectrogram transformers (AST, CAV-MAE, AVSiam): htk_compat (no effect
without an energy column), no energy, Hann window, 25 ms frames every 10 ms, no dither, snip_edges, power spectrum,
DC removal and pre-emphasis per frame, mel bank from 20 Hz to half the sample rate, natural logarithm.
Kaldi's steps per frame are: subtract the frame's mean, `x[i] -= 0.97 x[i-1]`, window, FFT. All are linear, so the
pre-emphasis is done once on the whole waveform and the mean `m` follows as `0.03 m`; this is exact for windows that
start at zero, the only ones offered.

Waveform scale: -1 to 1, as the published AVSiam code feeds it (int16 is divided by 32768). Kaldi's own scale is
+-32768; that adds 2 ln(32768) = 20.79 to every value above the floor.

Legend: B batch, S samples, T frames, L frame length in samples, N FFT length (L rounded up to a power of two),
K = N/2 FFT bins (the Nyquist bin carries no mel weight), F mel bins.
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from seehear.contracts import SAMPLE_RATE
from seehear.errors import UsageError
from seehear.signals.mel_bank import mel_bank
from seehear.signals.precision import without_autocast, working_dtype
from seehear.signals.tables import cached_table
from seehear.signals.waveform import waveform_from_int16

Window = Literal["hann", "povey"]
ENERGY_FLOOR = torch.finfo(torch.float32).eps  # Kaldi's floor, kept for every dtype
CACHED_VALUES = 1 << 19  # windowed samples that a CPU core's cache holds beside their spectra
LOG_FLOOR = math.log(ENERGY_FLOOR)  # -15.94: what digital silence gives


def fbank(
    waveform: Tensor,
    *,
    samples: Tensor | None = None,
    sample_rate: int = SAMPLE_RATE,
    num_mel_bins: int = 128,
    frame_length_ms: float = 25.0,
    frame_shift_ms: float = 10.0,
    low_frequency: float = 20.0,
    high_frequency: float = 0.0,
    window: Window = "hann",
    preemphasis: float = 0.97,
    subtract_mean: bool = True,
) -> Tensor:
    """Kaldi log-mel filter banks, `[B, T, F]` with `T = frame_count(S)`; dtype as the waveform, float32 for int16.

    Args:
        waveform: `[B, S]` floating point, -1 to 1, or int16, which saves passes over a long waveform.
        samples: `[B]` valid samples of each waveform. Frames that reach beyond them are exactly 0, as if the sound had
            been cut first and the spectrogram padded with zeros (the published recipe). None: all are valid.
        sample_rate: in Hz.
        num_mel_bins: F.
        frame_length_ms: length of one frame in milliseconds.
        frame_shift_ms: from one frame's start to the next in milliseconds.
        low_frequency: lower edge of the mel bank in Hz.
        high_frequency: upper edge in Hz; 0 or less counts down from half the sample rate.
        window: "hann" (the published recipe) or "povey" (Kaldi's default: Hann to the power 0.85).
        preemphasis: coefficient of the high-pass filter in front.
        subtract_mean: take the mean of the valid samples off first, as AVSiam does (with the DC removal of each frame
            that changes nothing but rounding).

    Raises:
        UsageError: if the waveform is no floating-point or int16 `[B, S]`, or the settings make an empty mel bin.
    """
    result, dtype = _check(waveform, samples, window)
    length, shift = frame_samples(sample_rate, frame_length_ms, frame_shift_ms)
    size = 1 << (length - 1).bit_length()
    count = frame_count(waveform.shape[1], length, shift)
    if count == 0 or len(waveform) == 0:
        return waveform.new_zeros(len(waveform), count, num_mel_bins, dtype=result)
    with without_autocast(waveform):
        bank = mel_bank(
            waveform.device, dtype, sample_rate, size, num_mel_bins, float(low_frequency), float(high_frequency)
        )
        pieces = []
        for rows, valid in _pieces(waveform, samples, count * size):
            x = _scaled(rows, dtype)
            if subtract_mean:
                x = x - _valid_mean(x, valid)
            spectrum = _power_spectrum(_windowed_frames(x, count, length, shift, size, preemphasis, window))
            pieces.append((spectrum @ bank).clamp_min(ENERGY_FLOOR).log())
        values = torch.cat(pieces)
        if samples is not None:
            values = values.masked_fill(~valid_frames(samples, count, length, shift)[:, :, None], 0.0)
    return values.to(result)


def frame_samples(sample_rate: int, frame_length_ms: float, frame_shift_ms: float) -> tuple[int, int]:
    """Length and shift of a frame in whole samples (cut down, as Kaldi does).

    Raises:
        UsageError: if a frame has fewer than two samples or does not advance.
    """
    length, shift = int(sample_rate * frame_length_ms * 0.001), int(sample_rate * frame_shift_ms * 0.001)
    if length < 2 or shift < 1:
        raise UsageError(
            f"{frame_length_ms} ms every {frame_shift_ms} ms at {sample_rate} Hz are {length} samples every {shift}",
            expected="at least 2 samples every 1",
        )
    return length, shift


def frame_count(samples: int, length: int, shift: int) -> int:
    """Frames that lie wholly inside `samples` samples (Kaldi's snip_edges)."""
    return 0 if samples < length else 1 + (samples - length) // shift


def valid_frames(samples: Tensor, frames: int, length: int, shift: int) -> Tensor:
    """Which of `frames` frames lie wholly inside the valid samples: bool `[B, frames]` for `samples [B]`."""
    ends = torch.arange(frames, device=samples.device) * shift + length
    return ends[None, :] <= samples[:, None]


def _pieces(waveform: Tensor, samples: Tensor | None, values: int) -> list[tuple[Tensor, Tensor | None]]:
    """Waveforms to take through the FFT together, and their valid samples: on a CPU only what its cache holds
    (measured: twice as fast); an exported program takes them all."""
    if torch.compiler.is_exporting():
        return [(waveform, samples)]
    step = max(1, CACHED_VALUES // values) if waveform.device.type == "cpu" else len(waveform)
    parts = waveform.split(step)
    return list(zip(parts, [None] * len(parts) if samples is None else samples.split(step), strict=True))


def _check(waveform: Tensor, samples: Tensor | None, window: str) -> tuple[torch.dtype, torch.dtype]:
    """dtype of the result, dtype to work in."""
    if waveform.ndim != 2:
        raise UsageError(f"the waveform is {tuple(waveform.shape)}", expected="[B, S], batch and samples")
    if samples is not None and samples.shape != waveform.shape[:1]:
        raise UsageError(f"samples is {tuple(samples.shape)}", expected=f"[B] = [{waveform.shape[0]}]")
    if window not in ("hann", "povey"):
        raise UsageError(f"window {window!r}", expected="'hann' or 'povey'")
    if waveform.dtype == torch.int16:
        return torch.float32, torch.float32
    return waveform.dtype, working_dtype(waveform, "the waveform")


def _scaled(waveform: Tensor, dtype: torch.dtype) -> Tensor:
    return waveform_from_int16(waveform, dtype) if waveform.dtype == torch.int16 else waveform.to(dtype)


def _valid_mean(x: Tensor, samples: Tensor | None) -> Tensor:
    """Mean over the valid samples, `[B, 1]`."""
    on_host = samples is not None and samples.device.type == "cpu"  # elsewhere looking would make the host wait
    if samples is None or (on_host and not torch.compiler.is_exporting() and bool((samples >= x.shape[1]).all())):
        return x.mean(dim=1, keepdim=True)
    valid = torch.arange(x.shape[1], device=x.device)[None, :] < samples[:, None]
    return (x * valid).sum(dim=1, keepdim=True) / samples.clamp_min(1)[:, None]


@cached_table
def _window_table(window: Window, length: int, size: int) -> Tensor:
    """The window without its first value, which is 0, zero-padded to `size`: padding the frame costs nothing more."""
    hann = 0.5 - 0.5 * torch.cos(2 * torch.pi * torch.arange(length, dtype=torch.float64) / (length - 1))
    return F.pad((hann if window == "hann" else hann**0.85)[1:], (0, size - length + 1))


def _windowed_frames(
    x: Tensor, count: int, length: int, shift: int, size: int, preemphasis: float, window: Window
) -> Tensor:
    """Frames ready for the FFT, `[B, T, N]`: DC removed, pre-emphasised, windowed, zero-padded.

    They begin at their second sample, as the first has no weight; moving a frame does not change its power.
    """
    padded = F.pad(x, (0, size - length + 1))
    frames = torch.sub(padded[:, 1:], padded[:, :-1], alpha=preemphasis).unfold(1, size, shift)[:, :count]
    means = x.unfold(1, length, shift).mean(dim=2, keepdim=True)
    return torch.sub(frames, means, alpha=1 - preemphasis).mul_(_window_table(x.device, x.dtype, window, length, size))


def _power_spectrum(frames: Tensor) -> Tensor:
    """`|FFT|^2` without the Nyquist bin, `[B, T, N] -> [B, T, K]`."""
    spectrum = torch.fft.rfft(frames)[..., :-1]
    return torch.addcmul(spectrum.real.square(), spectrum.imag, spectrum.imag)
