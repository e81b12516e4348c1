"""Bowed sound: harmonics 1/k with vibrato (4 to 7 Hz) and slow drift, body resonances, dips at bow turns.

Partials stay below 7.5 kHz, so nothing aliases; envelopes rise and fall over at least 10 ms, so nothing clicks.

Legend: S samples, K partials.
"""

import numpy as np
from numpy import ndarray

from seehear.world.scenes import Event, Source
from seehear.world.sounds.levels import SAMPLE_RATE, TOP_HZ, edges, span, unit_peak
from seehear.world.streams import stream

BODY_HZ, BODY_GAIN, BODY_WIDTH = (290.0, 480.0, 1150.0, 2700.0), (1.5, 1.2, 1.4, 1.2), (0.1, 0.12, 0.16, 0.22)
MOST_PARTIALS = 24


def bowed(source: Source, events: tuple[Event, ...], samples: int, *, bright: float, body: float) -> ndarray:
    """Sound of bow strokes, `[S]` float32; `bright` flattens the spectrum, `body` scales the resonances."""
    rng = stream(source.seed, "bow")
    if not events:
        return np.zeros(samples, np.float32)
    clip = span(events[0].start_seconds, events[-1].stop_seconds, samples)
    length = clip.stop - clip.start
    seconds = np.arange(length) / SAMPLE_RATE
    steps = np.interp(seconds + events[0].start_seconds, *_notes(rng, events))
    vibrato = rng.uniform(0.004, 0.012) * np.sin(2 * np.pi * (rng.uniform(4, 7) * seconds + rng.uniform()))
    hertz = source.pitch_hz * steps * (1 + vibrato)
    phase = 2 * np.pi * np.cumsum(hertz) / SAMPLE_RATE
    tone = _partials(phase, source.pitch_hz * float(steps.max()), bright, body)
    tone += 0.02 * rng.standard_normal(length).astype(np.float32)
    envelope = np.zeros(samples, np.float32)
    for event in events:
        part = span(event.start_seconds, event.stop_seconds, samples)
        if part.stop - part.start > 2:
            envelope[part] = event.strength * edges(part.stop - part.start, 0.03, 0.04)
    result = np.zeros(samples, np.float32)
    result[clip] = tone * envelope[clip]
    return unit_peak(result).astype(np.float32)


def _notes(rng: np.random.Generator, events: tuple[Event, ...]) -> tuple[ndarray, ndarray]:
    """Pitch factor per stroke (a few scale steps), as knots over time with short glides."""
    times, factors = [], []
    for event in events:
        factor = 2 ** (rng.choice([0, 0, 2, 4, 5, 7]) / 12)
        times += [event.start_seconds + 0.01, max(event.start_seconds + 0.02, event.stop_seconds - 0.01)]
        factors += [factor, factor]
    return np.array(times), np.array(factors)


def _partials(phase: ndarray, highest_hz: float, bright: float, body: float) -> ndarray:
    """Sum of harmonics 1/k^(1.4 - 0.6 bright), weighted by the body, `[length]` float32."""
    count = max(1, min(MOST_PARTIALS, int(TOP_HZ / (highest_hz * 1.02))))
    k = np.arange(1, count + 1)
    weights = k ** (0.6 * bright - 1.4)
    logs = np.log(k[:, None] * highest_hz / (np.array(BODY_HZ) * body))
    weights = weights * (1 + np.sum(np.array(BODY_GAIN) * np.exp(-((logs / np.array(BODY_WIDTH)) ** 2) / 2), axis=1))
    tone = np.zeros(len(phase), np.float32)
    wrapped = np.mod(phase, 2 * np.pi)
    for number, weight in zip(k, weights, strict=True):
        tone += np.float32(weight) * np.sin((wrapped * number).astype(np.float32))
    return tone / np.float32(np.sqrt(np.sum(weights**2)))
