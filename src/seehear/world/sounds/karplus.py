"""Plucked strings after Karplus and Strong (Computer Music Journal 1983).

y[n] = x[n] + rho (0.5 y[n-N] + 0.5 y[n-N-1]) with N about fs/f0 - 0.5 and rho = 10^(-3/(f0 T60)); x is one period of
noise per pluck, comb-filtered by the plucking position (Jaffe and Smith 1983). Plucks alternate between two strings a
fifth apart unless other strings are named; one filter call each.

Legend: S samples.
"""

import numpy as np
from numpy import ndarray

from seehear.world.scenes import Event, Source
from seehear.world.sounds.filters import filtered
from seehear.world.sounds.levels import SAMPLE_RATE, unit_peak
from seehear.world.streams import stream

STRINGS = (1.0, 1.5)


def plucked(
    source: Source,
    events: tuple[Event, ...],
    samples: int,
    *,
    ring_seconds: float,
    pick_place: float,
    strings: tuple[float, ...] = STRINGS,
) -> ndarray:
    """Sound of a plucked instrument, `[S]` float32.

    Args:
        source: gives the pitch and the noise.
        events: plucks; an event's `side` is the number of its string.
        samples: length S.
        ring_seconds: T60 of the strings.
        pick_place: the pick's place as a share of the string.
        strings: pitch of each string relative to the source's.
    """
    rng = stream(source.seed, "plucks")
    result = np.zeros(samples)
    for number, ratio in enumerate(strings):
        own = [event for event in events if event.side == number]
        if own:
            result += _string(rng, own, samples, source.pitch_hz * ratio, ring_seconds, pick_place)
    return unit_peak(result).astype(np.float32)


def _string(
    rng: np.random.Generator, events: list[Event], samples: int, hertz: float, ring_seconds: float, pick_place: float
) -> ndarray:
    delay = max(2, round(SAMPLE_RATE / hertz - 0.5))
    first = round(events[0].start_seconds * SAMPLE_RATE)
    if first >= samples:
        return np.zeros(samples)
    force = np.zeros(samples - first + 2 * delay)
    for event in events:
        start = round(event.start_seconds * SAMPLE_RATE) - first
        burst = filtered([1.0], [1.0, -0.4], rng.uniform(-1, 1, delay)) * event.strength
        comb = np.concatenate([burst, np.zeros(delay)])
        comb[max(1, round(pick_place * delay)) :] -= 0.9 * comb[: len(comb) - max(1, round(pick_place * delay))]
        room = force[start : start + len(comb)]
        room += comb[: len(room)]
    rho = 10 ** (-3 / (hertz * ring_seconds))
    loop = np.zeros(delay + 2)
    loop[0], loop[delay], loop[delay + 1] = 1.0, -0.5 * rho, -0.5 * rho
    result = np.zeros(samples)
    result[first:] = filtered([1.0], loop, force)[: samples - first]
    return result
