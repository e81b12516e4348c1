"""Fire: heavy-tailed clicks over a low, wandering noise.

Cracks of the wood come as a Poisson stream with Pareto strengths (few loud ones stand out of many faint ones), each a
short ringing of a splinter; the flames' own noise lies low and breathes.

Legend: S samples, L samples of one event.
"""

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from seehear.world.scenes import Event, Source
from seehear.world.sounds.filters import filtered
from seehear.world.sounds.levels import SAMPLE_RATE, TOP_HZ, edges, span, unit_peak
from seehear.world.streams import stream

FEWEST, MOST = 8.0, 60.0  # cracks per second
TAIL = 1.5  # Pareto exponent
LOUDEST = 25.0  # times the faintest crack; beyond it one crack would drown all others
SPLINTERS = 12
SHORTEST_SECONDS, LONGEST_SECONDS = 0.001, 0.006
ROAR_POLE, ROAR_SHARE = 0.97, 0.3


def cracks_per_second(rate: float) -> float:
    """Cracks per second for a rate of 0 to 1, on a log scale."""
    return FEWEST * (MOST / FEWEST) ** rate


def burning(source: Source, events: tuple[Event, ...], samples: int, *, rate: float) -> ndarray:
    """Sound of a fire, `[S]` float32; `rate` 0 to 1 is the crack density that the picture shows as sparks."""
    rng = stream(source.seed, "cracks")
    result = np.zeros(samples)
    for event in events:
        clip = span(event.start_seconds, event.stop_seconds, samples)
        length = clip.stop - clip.start
        if length < 2:
            continue
        cracks = _cracks(rng, source.pitch_hz, length, cracks_per_second(rate))
        sound = cracks / (cracks.std() + 1e-9) + ROAR_SHARE * _roar(rng, length)
        result[clip] += sound * edges(length, 0.02, 0.1)
    return unit_peak(result).astype(np.float32)


def _cracks(rng: Generator, centre_hz: float, length: int, per_second: float) -> ndarray:
    count = 1 + rng.poisson(per_second * length / SAMPLE_RATE)
    places, kinds = rng.integers(0, length, count), rng.integers(0, SPLINTERS, count)
    places[0] = 0  # the fire flares up with a crack
    strengths = np.minimum((1 - rng.uniform(size=count)) ** (-1 / TAIL), LOUDEST)
    strengths[0] = strengths.max()
    longest = length + round(LONGEST_SECONDS * SAMPLE_RATE)
    result = np.zeros(longest)
    for number in range(SPLINTERS):
        seconds = rng.uniform(SHORTEST_SECONDS, LONGEST_SECONDS)
        time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
        hertz = min(TOP_HZ, centre_hz * 2 ** rng.normal(0, 0.6))
        ringing = np.sin(2 * np.pi * hertz * time) + 0.5 * rng.standard_normal(len(time))
        splinter = ringing * np.exp(-6 * time / seconds)
        own = kinds == number
        index = places[own][:, None] + np.arange(len(splinter))
        result += np.bincount(index.ravel(), (strengths[own][:, None] * splinter).ravel(), longest)
    return result[:length]


def _roar(rng: Generator, length: int) -> ndarray:
    """Low noise `[L]` of deviation about 1 whose level wanders some times a second."""
    low = filtered([1.0], [1.0, -ROAR_POLE], rng.standard_normal(length))
    knots = rng.uniform(0.4, 1.6, max(2, length * 7 // SAMPLE_RATE + 2))
    breath = np.interp(np.linspace(0, len(knots) - 1, length), np.arange(len(knots)), knots)
    return low / (low.std() + 1e-9) * breath
