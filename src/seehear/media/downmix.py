"""Decoded sound of any layout and format to one channel.

Weights are those of ITU-R BS.775 for two channels, summed over both and divided so that they add up to one: front
left, right and centre at full (the centre goes to both sides at -3 dB each), surrounds at -3 dB, the low-frequency
channel left out. Stereo is the plain mean. Layouts without names are averaged.

Legend: C channels, S samples.
"""

import math
from functools import cache
from typing import Any

import numpy as np

_HALF = math.sqrt(0.5)
_WEIGHTS = {"FL": 1.0, "FR": 1.0, "FC": math.sqrt(2.0), "LFE": 0.0, "LFE2": 0.0}  # any other: surround
_SURROUND = _HALF
_FULL_SCALE = {"u8": 128.0, "s16": 32768.0, "s32": 2147483648.0, "flt": 1.0, "dbl": 1.0}


@cache
def weights(channels: tuple[str, ...]) -> np.ndarray:
    """Float32 `[C]` weights that add up to one, for FFmpeg's channel names ("FL", "FR", "FC", "LFE", "BL", ...)."""
    raw = np.array([_WEIGHTS.get(name, _SURROUND) for name in channels])
    if not raw.any() or not {"FL", "FC"} & set(channels):
        raw = np.ones(len(channels))
    return (raw / raw.sum()).astype(np.float32)


def to_mono(frame: Any) -> np.ndarray:
    """Float32 `[S]` in -1 to 1 of one decoded audio frame."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, len(frame.layout.channels)).T
    full_scale = _FULL_SCALE[frame.format.name.removesuffix("p")]
    samples = samples.astype(np.float32) - (full_scale if frame.format.name.startswith("u8") else 0.0)
    names = tuple(channel.name for channel in frame.layout.channels)
    mono = samples[0] if len(samples) == 1 else weights(names) @ samples
    return mono / np.float32(full_scale) if full_scale != 1.0 else mono
