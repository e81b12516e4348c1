"""Rain: a Poisson stream of short damped sinusoids (bubbles of 2 to 10 ms, 1 to 8 kHz) on a noise floor.

Bubble model after van den Doel, "Physically based models for liquid sounds" (ACM TAP 2005), reduced to a table of
ready bubbles that are laid down at the drops' times.

Legend: S samples.
"""

import numpy as np
from numpy import ndarray

from seehear.world.scenes import Event, Source
from seehear.world.sounds.filters import filtered
from seehear.world.sounds.levels import SAMPLE_RATE, TOP_HZ, edges, span, unit_peak
from seehear.world.streams import stream

SLOWEST, FASTEST = 25.0, 700.0  # drops per second
SHORTEST_SECONDS, LONGEST_SECONDS = 0.002, 0.01  # of one bubble
TABLE = 16


def drops_per_second(rate: float) -> float:
    """Drops per second for a rate of 0 to 1, on a log scale."""
    return SLOWEST * (FASTEST / SLOWEST) ** rate


def raining(source: Source, events: tuple[Event, ...], samples: int, *, rate: float) -> ndarray:
    """Sound of rain, `[S]` float32; `rate` 0 to 1 is the drop density that the picture shows as streaks."""
    rng = stream(source.seed, "drops")
    result = np.zeros(samples)
    for event in events:
        clip = span(event.start_seconds, event.stop_seconds, samples)
        length = clip.stop - clip.start
        if length < 2:
            continue
        floor = filtered([1.0, -0.7], [1.0, -0.3], rng.standard_normal(length))
        drops = _drops(rng, source.pitch_hz, length, drops_per_second(rate))
        sound = drops / (drops.std() + 1e-9) + (0.1 + 0.4 * rate) * floor / floor.std()
        result[clip] += sound * edges(length, 0.02, 0.1)
    return unit_peak(result).astype(np.float32)


def _drops(rng: np.random.Generator, centre_hz: float, length: int, per_second: float) -> ndarray:
    count = max(1, rng.poisson(per_second * length / SAMPLE_RATE))
    places, kinds = rng.integers(0, length, count), rng.integers(0, TABLE, count)
    strengths = rng.lognormal(0, 0.6, count)
    longest = length + round(LONGEST_SECONDS * SAMPLE_RATE)
    result = np.zeros(longest)
    for number in range(TABLE):
        hertz = min(TOP_HZ, centre_hz * 2 ** rng.normal(0, 0.5))
        duration = rng.uniform(SHORTEST_SECONDS, LONGEST_SECONDS)
        time = np.arange(round(duration * SAMPLE_RATE)) / SAMPLE_RATE
        bubble = np.exp(-time * 5 / duration) * np.sin(2 * np.pi * hertz * (1 + 0.1 * time / duration) * time)
        own = kinds == number
        index = places[own][:, None] + np.arange(len(bubble))
        result += np.bincount(index.ravel(), (strengths[own][:, None] * bubble).ravel(), longest)
    return result[:length]
