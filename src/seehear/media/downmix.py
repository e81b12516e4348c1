"""Decoded sound of any layout and format to one channel.

Weights are those of ITU-R BS.775 for two channels, summed over both and divided so that they add up to one: front
left, right and centre at full (the centre goes to both sides at -3 dB each), surrounds at -3 dB, the low-frequency
channel left out. Stereo is the plain mean. Layouts without names are averaged.

Legend: C channels, S samples.
"""

import math
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

_HALF = math.sqrt(0.5)
_WEIGHTS = {"FL": 1.0, "FR": 1.0, "FC": math.sqrt(2.0), "LFE": 0.0, "LFE2": 0.0}  # any other: surround
_SURROUND = _HALF
_DTYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "flt": "f4", "dbl": "f8"}
_FULL_SCALE = {"u8": 128.0, "s16": 32768.0, "s32": 2147483648.0, "flt": 1.0, "dbl": 1.0}


@cache
def weights(channels: tuple[str, ...]) -> np.ndarray:
    """Float32 `[C]` weights that add up to one, for FFmpeg's channel names ("FL", "FR", "FC", "LFE", "BL", ...)."""
    raw = np.array([_WEIGHTS.get(name, _SURROUND) for name in channels])
    if not raw.any() or not {"FL", "FC"} & set(channels):
        raw = np.ones(len(channels))
    return (raw / raw.sum()).astype(np.float32)


@dataclass(frozen=True)
class _Coding:
    """How the samples of a decoded block lie in memory, and what each channel counts (None for a single one)."""

    dtype: np.dtype
    planar: bool
    full_scale: float
    zero: float
    weights: np.ndarray | None

    @cached_property
    def halves(self) -> bool:
        """Two channels that count the same: halving is exact, so how they are added changes no bit."""
        return self.weights is not None and self.weights.tolist() == [0.5, 0.5]


class Downmix:
    """Blocks of one track to one channel; how a block lies in memory is looked up only where it changes."""

    def __init__(self) -> None:
        self._known = ("", "")
        self._coding: _Coding | None = None

    def __call__(self, frame: Any) -> np.ndarray:
        """Float32 `[S]` in -1 to 1 of one decoded audio frame; it may lie in the frame's own memory."""
        coding = self._coding_of(frame)
        channels = _channels(frame, coding)
        if coding.weights is None:
            mono = channels[0]
        elif coding.halves:
            mono = channels[0] + channels[1]
            mono *= 0.5
        else:
            mono = coding.weights @ (np.stack(channels) if isinstance(channels, list) else channels)
        return mono / np.float32(coding.full_scale) if coding.full_scale != 1.0 else mono

    def _coding_of(self, frame: Any) -> _Coding:
        found = (frame.format.name, frame.layout.name)
        if self._coding is None or found != self._known:
            self._known, self._coding = found, _coding(found[0], frame.layout)
        return self._coding


def _coding(format_name: str, layout: Any) -> _Coding:
    plain = format_name.removesuffix("p")
    names = tuple(channel.name for channel in layout.channels)
    each = weights(names) if len(names) > 1 else None
    zero = _FULL_SCALE[plain] if plain == "u8" else 0.0
    return _Coding(np.dtype(_DTYPES[plain]), plain != format_name, _FULL_SCALE[plain], zero, each)


def _channels(frame: Any, coding: _Coding) -> list[np.ndarray] | np.ndarray:
    """Float32 `[S]` of each channel, zero at silence, as a list or as `[C, S]`."""
    channels, count = 1 if coding.weights is None else len(coding.weights), frame.samples
    planes = frame.planes[:channels]  # of eight channels PyAV counts nine planes
    if coding.planar or channels == 1:
        return [_floats(np.frombuffer(plane, coding.dtype, count), coding.zero) for plane in planes]
    return _floats(np.frombuffer(planes[0], coding.dtype, count * channels), coding.zero).reshape(count, channels).T


def _floats(samples: np.ndarray, zero: float) -> np.ndarray:
    if samples.dtype == np.float32:
        return samples
    result = samples.astype(np.float32)
    return result - np.float32(zero) if zero else result
