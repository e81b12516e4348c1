"""Sound at any rate to 16 kHz, chunk by chunk, on a fixed grid: sample n of the output is at n / 16000 s.

FFmpeg's windowed-sinc resampler (swresample) does the work. A stream that begins at an input sample which falls on the
output grid has no lag; `grid_step` says which samples do. Legend: S samples.
"""

import math
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np

from seehear.media.tracks import SAMPLE_RATE


def grid_step(sample_rate: int) -> int:
    """Every so many input samples one falls exactly on the grid of 16 kHz samples."""
    return sample_rate // math.gcd(sample_rate, SAMPLE_RATE)


class Resampler:
    """One run of sound from `sample_rate` to 16 kHz, float32 mono; equal rates pass through untouched."""

    def __init__(self, sample_rate: int):
        self.sample_rate, self._pushed = sample_rate, 0
        self._filter = None if sample_rate == SAMPLE_RATE else av.AudioResampler("flt", "mono", SAMPLE_RATE)

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Float32 `[S]` in, what is ready out."""
        if self._filter is None or len(samples) == 0:
            return samples
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32)[None], "flt", "mono")
        frame.sample_rate, frame.pts, frame.time_base = self.sample_rate, self._pushed, Fraction(1, self.sample_rate)
        self._pushed += len(samples)
        return _joined(f.to_ndarray()[0] for f in self._filter.resample(frame))

    def finish(self) -> np.ndarray:
        """What is left in the filter."""
        if self._filter is None or self._pushed == 0:
            return np.zeros(0, np.float32)
        return _joined(f.to_ndarray()[0] for f in self._filter.resample(None))


def _joined(parts: Iterator[np.ndarray]) -> np.ndarray:
    chunks = list(parts)
    return np.concatenate(chunks) if chunks else np.zeros(0, np.float32)
