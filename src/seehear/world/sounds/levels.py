"""Constants and small helpers that every sound model shares."""

import numpy as np
from numpy import ndarray

SAMPLE_RATE = 16_000
TOP_HZ = 7_500.0  # partials stop here: nothing aliases


def unit_peak(sound: ndarray) -> ndarray:
    """The same sound with peak 1; silence stays silence."""
    peak = np.abs(sound).max()
    return sound / peak if peak > 0 else sound


def edges(length: int, rise_seconds: float, fall_seconds: float) -> ndarray:
    """An envelope `[length]` float32 with raised-cosine edges, so that nothing clicks."""
    rise, fall = (min(length // 2, max(1, round(s * SAMPLE_RATE))) for s in (rise_seconds, fall_seconds))
    envelope = np.ones(length, np.float32)
    envelope[:rise] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(rise) + 1) / (rise + 1))
    envelope[length - fall :] *= 0.5 + 0.5 * np.cos(np.pi * (np.arange(fall) + 1) / (fall + 1))
    return envelope


def span(start_seconds: float, stop_seconds: float, samples: int) -> slice:
    """Samples of an event, cut to the clip."""
    first = min(samples, round(start_seconds * SAMPLE_RATE))
    return slice(first, max(first, min(samples, round(stop_seconds * SAMPLE_RATE))))
