"""Engine: a jittered pulse train (11 to 75 per second) through the resonances of a metal block, with exhaust noise.

Legend: S samples.
"""

import numpy as np
from numpy import ndarray

from seehear.world.scenes import Event, Source
from seehear.world.sounds.filters import filtered
from seehear.world.sounds.levels import SAMPLE_RATE, TOP_HZ, edges, span, unit_peak
from seehear.world.streams import stream

RESONANCES = (9.0, 23.0, 58.0)  # times the pulse rate
WEIGHTS = (1.0, 0.6, 0.35)
JITTER = 0.04


def running(source: Source, events: tuple[Event, ...], samples: int, *, damping: float) -> ndarray:
    """Sound of a running engine, `[S]` float32; `damping` is the loss factor of its resonances."""
    rng = stream(source.seed, "pulses")
    own = stream(source.instance.seed, "block")
    result = np.zeros(samples)
    for event in events:
        clip = span(event.start_seconds, event.stop_seconds, samples)
        length = clip.stop - clip.start
        if length < 2:
            continue
        force = _pulses(rng, source.pitch_hz, length)
        sound = np.zeros(length)
        for ratio, weight in zip(RESONANCES, WEIGHTS, strict=True):
            hertz = min(TOP_HZ, source.pitch_hz * ratio * 2 ** own.normal(0, 0.15))
            angle, radius = 2 * np.pi * hertz / SAMPLE_RATE, np.exp(-np.pi * hertz * damping / SAMPLE_RATE)
            ringing = filtered([np.sin(angle)], [1.0, -2 * radius * np.cos(angle), radius**2], force)
            sound += weight * ringing / (ringing.std() + 1e-9)
        result[clip] += sound * edges(length, 0.02, 0.1)
    return unit_peak(result).astype(np.float32)


def _pulses(rng: np.random.Generator, rate: float, length: int) -> ndarray:
    """Firing pulses with jittered times and strengths, each a short puff of noise."""
    count = int(length / SAMPLE_RATE * rate * 1.3) + 3
    gaps = np.maximum(0.3, 1 + JITTER * rng.standard_normal(count)) / rate
    places = np.round((np.cumsum(gaps) - gaps[0]) * SAMPLE_RATE).astype(int)
    places = places[places < length]
    impulses = np.zeros(length)
    impulses[places] = 1 + 0.25 * rng.standard_normal(len(places))
    puff = filtered([1.0], [1.0, -np.exp(-1 / (0.002 * SAMPLE_RATE))], impulses)
    return impulses + 0.35 * puff * rng.standard_normal(length)
