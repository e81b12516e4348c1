"""Decoded sound of any layout and format to one channel.

Weights are those of ITU-R BS.775 for two channels, summed over both and divided so that they add up to one: front
left, right and centre at full (the centre goes to both sides at -3 dB each), surrounds at -3 dB, the low-frequency
channel left out. Stereo is the plain mean. Layouts without names are averaged.

Legend: C channels, S samples.
"""

import math
from dataclasses import dataclass
from functools import cache
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
    """How the samples of a decoded block lie in memory, and what each channel counts."""

    dtype: np.dtype
    planar: bool
    full_scale: float
    zero: float
    weights: np.ndarray | None


@cache
def _coding(format_name: str, channels: tuple[str, ...]) -> _Coding:
    plain = format_name.removesuffix("p")
    full_scale, planar = _FULL_SCALE[plain], plain != format_name
    each = weights(channels) if len(channels) > 1 else None
    return _Coding(np.dtype(_DTYPES[plain]), planar, full_scale, full_scale if plain == "u8" else 0.0, each)


class Downmix:
    """Blocks of one track to one channel; what a block looks like is looked up only where it changes."""

    def __init__(self) -> None:
        self._last: tuple[Any, Any] = (None, None)
        self._found: _Coding | None = None

    def __call__(self, frame: Any) -> np.ndarray:
        """Float32 `[S]` in -1 to 1 of one decoded audio frame; it may lie in the frame's own memory."""
        coding = self._coding_of(frame)
        samples = _samples(frame, coding)
        if coding.dtype != np.float32:
            samples = samples.astype(np.float32)
        if coding.zero:
            samples -= np.float32(coding.zero)
        mono = samples[0] if coding.weights is None else coding.weights @ samples
        return mono / np.float32(coding.full_scale) if coding.full_scale != 1.0 else mono

    def _coding_of(self, frame: Any) -> _Coding:
        key = (frame.format.name, frame.layout.name)
        if self._found is None or key != self._last:
            names = tuple(channel.name for channel in frame.layout.channels)
            self._last, self._found = key, _coding(key[0], names)
        return self._found


def _samples(frame: Any, coding: _Coding) -> np.ndarray:
    """`[C, S]` as decoded."""
    planes, count = frame.planes, frame.samples
    if len(planes) == 1 and (coding.planar or coding.weights is None):
        return np.frombuffer(planes[0], coding.dtype, count)[None]
    if coding.planar:
        return np.stack([np.frombuffer(plane, coding.dtype, count) for plane in planes])
    channels = len(coding.weights) if coding.weights is not None else 1
    return np.frombuffer(planes[0], coding.dtype, count * channels).reshape(count, channels).T
