"""Waveforms between 16-bit integers, as batches carry them, and floating point from -1 to 1, as networks read them."""

import torch
from torch import Tensor

from seehear.errors import UsageError

_FULL_SCALE = 32768.0


def waveform_from_int16(waveform: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Divide int16 samples by 32768: values in [-1, 1), any shape.

    Raises:
        UsageError: if the samples are not int16.
    """
    if waveform.dtype != torch.int16:
        raise UsageError(f"the waveform is {waveform.dtype}", expected="int16")
    return waveform.to(dtype) / _FULL_SCALE


def waveform_to_int16(waveform: Tensor) -> Tensor:
    """Nearest int16 samples of a waveform in [-1, 1]; louder ones are cut at full scale. Any shape."""
    return (waveform * _FULL_SCALE).round().clamp(-32768, 32767).to(torch.int16)
