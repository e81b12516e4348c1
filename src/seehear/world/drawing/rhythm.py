"""When things sound: one law of lead-in and gaps for every class, so that rhythm tells none.

The first event starts U(0.1, 1.2) s into the clip (at most three quarters of a short one); gaps are log-normal with a
floor of 0.25 s; times are continuous, never on the frame grid. What has been sounding for long (`steady`) has no
lead-in.
"""

from itertools import pairwise

import numpy as np
from numpy.random import Generator

from seehear.world.scenes import Event

FIRST_SECONDS = (0.1, 1.2)
SHORTEST_GAP_SECONDS, MEDIAN_GAP_SECONDS, GAP_SPREAD = 0.25, 0.5, 0.45
IMPACT_SECONDS = (0.06, 0.2)
LAST_SECONDS = 0.05  # nothing starts later than this before the end
SETTLING_SECONDS = 8.0  # after so many gaps their beginning is forgotten


def schedule(rng: Generator, rhythm: str, source: int, seconds: float) -> list[Event]:
    """The events of one source in a clip of `seconds`, in order, sides alternating."""
    first = rng.uniform(FIRST_SECONDS[0], min(FIRST_SECONDS[1], 0.75 * seconds))
    starts = [first]
    while starts[-1] < seconds - LAST_SECONDS:
        starts.append(starts[-1] + _gap(rng))
    starts = [start for start in starts if start < seconds - LAST_SECONDS]
    side = int(rng.integers(2))
    if rhythm == "continuous":
        return [_event(source, "runs", first, seconds, 1.0, side)]
    ends = [*starts[1:], seconds]
    events = []
    for k, (start, end) in enumerate(zip(starts, ends, strict=True)):
        strength = rng.uniform(0.55, 1.0)
        if rhythm == "impacts":
            end = min(seconds, start + rng.uniform(*IMPACT_SECONDS))
        events.append(_event(source, rhythm[:-1], start, end, strength, (side + k) % 2))
    return events


def steady(rng: Generator, rhythm: str, source: int, start: float, stop: float) -> list[Event]:
    """Impacts or strokes of one source that begin between `start` and `stop`, as of one that has long been sounding.

    No moment is likelier to hold an event than another, so a window shows nothing of where it was cut.
    """
    starts = [start - SETTLING_SECONDS]
    while starts[-1] < stop:
        starts.append(starts[-1] + _gap(rng))
    side = int(rng.integers(2))
    events = []
    for k, (begin, following) in enumerate(pairwise(starts)):
        strength = rng.uniform(0.55, 1.0)
        end = begin + rng.uniform(*IMPACT_SECONDS) if rhythm == "impacts" else following
        events.append(_event(source, rhythm[:-1], begin, end, strength, (side + k) % 2))
    return [event for event in events if start <= event.start_seconds < stop]


def _gap(rng: Generator) -> float:
    gap = MEDIAN_GAP_SECONDS * np.exp(GAP_SPREAD * rng.standard_normal())
    return max(SHORTEST_GAP_SECONDS, float(gap))


def _event(source: int, kind: str, start: float, stop: float, strength: float, side: int) -> Event:
    return Event(source, kind, round(float(start), 6), round(float(stop), 6), round(float(strength), 6), side)
