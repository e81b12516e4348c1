"""Croaks: a tone pulsed in amplitude 20 to 60 times a second, as frogs call.

Each pulse is a damped oscillation of the throat sac at the pitch with two weaker overtones; the pulse rate is the
individual's own and sags a little over a call.

Legend: S samples, L samples of one call.
"""

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from seehear.world.scenes import Event, Source
from seehear.world.sounds.levels import SAMPLE_RATE, TOP_HZ, edges, unit_peak
from seehear.world.streams import stream

SLOWEST_HZ, FASTEST_HZ = 20.0, 60.0  # pulses
LONGEST_SECONDS, FILLED = 0.55, 0.8  # a call fills this share of its event, up to the longest
OVERTONES = ((1.0, 1.0), (2.0, 0.45), (3.0, 0.3), (5.0, 0.12))
SAG, JITTER = 0.2, 0.05


def call_seconds(event: Event) -> float:
    """How long the call of an event sounds; the picture shows the same."""
    return min(LONGEST_SECONDS, FILLED * (event.stop_seconds - event.start_seconds))


def croaking(source: Source, events: tuple[Event, ...], samples: int, *, pulses: float) -> ndarray:
    """Sound of croaks, `[S]` float32; `pulses` 0 to 1 is the individual's pulse rate, on a log scale."""
    rng = stream(source.seed, "croaks")
    rate = SLOWEST_HZ * (FASTEST_HZ / SLOWEST_HZ) ** pulses
    result = np.zeros(samples)
    for event in events:
        first = min(samples, round(event.start_seconds * SAMPLE_RATE))
        length = min(samples - first, round(call_seconds(event) * SAMPLE_RATE))
        if length > 16:
            result[first : first + length] += event.strength * _call(rng, length, source.pitch_hz, rate)
    return unit_peak(result).astype(np.float32)


def _call(rng: Generator, length: int, pitch_hz: float, rate_hz: float) -> ndarray:
    """One call `[L]`."""
    share = np.arange(length) / length
    beat = np.cumsum(rate_hz * (1 - SAG * share)) / SAMPLE_RATE
    number = beat.astype(int)
    within = beat - number  # place in the pulse, 0 to 1
    strengths = 1 + JITTER * 3 * rng.standard_normal(number[-1] + 1)
    attack = np.clip(within / 0.12, 0, 1)
    pulse = strengths[number] * attack * np.exp(-4.0 * within)
    glide = pitch_hz * 2 ** (0.15 * (np.sin(np.pi * share) - 1) + JITTER * rng.standard_normal())
    phase = 2 * np.pi * np.cumsum(glide) / SAMPLE_RATE
    tone = np.zeros(length)
    for ratio, weight in OVERTONES:
        if pitch_hz * ratio < TOP_HZ:
            tone += weight * np.sin(ratio * phase + rng.uniform(0, 2 * np.pi))
    return tone * (0.04 + pulse) * edges(length, 0.01, 0.08)
