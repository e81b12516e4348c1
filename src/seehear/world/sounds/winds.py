"""Wind instruments: a breathy flute of four harmonics, and a horn whose brightness follows its loudness.

The horn's harmonics fall off as r^k, with r driven by the loudness; their sum has the closed form of discrete summation
formulas (Moorer, JAES 1976), cut at 7.5 kHz, so that any number of them costs three sines. Envelopes rise and fall
over at least 10 ms, so nothing clicks.

Legend: S samples.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy import ndarray

from seehear.world.scenes import Event, Source
from seehear.world.sounds.filters import filtered
from seehear.world.sounds.levels import SAMPLE_RATE, TOP_HZ, edges, span, unit_peak
from seehear.world.streams import stream

FLUTE_PARTIALS, FALL = 4, 3.0  # harmonics 1/k^3
BREATH, HISS, CHIFF_SECONDS = 0.5, 0.1, 0.04
DULLEST_HZ, BRIGHTEST_HZ = 150.0, 2_000.0  # over which a horn's harmonics fall by a factor e: faint and loud tones


def fluting(
    source: Source, events: tuple[Event, ...], samples: int, *, factors: Sequence[float], breath: float, bright: float
) -> ndarray:
    """Sound of a flute, `[S]` float32.

    Args:
        source: gives the pitch.
        events: notes that follow each other.
        samples: length S.
        factors: pitch of each note relative to the source's.
        breath: 0 to 1, how airy.
        bright: 0 to 1, strengthens the overtones.
    """
    rng = stream(source.seed, "breath")
    beat = rng.uniform(4.5, 6.0)
    weights = np.arange(1, FLUTE_PARTIALS + 1) ** (bright - FALL)

    def note(event: Event, hertz: float, length: int) -> ndarray:
        seconds = np.arange(length) / SAMPLE_RATE
        vibrato = np.sin(2 * np.pi * (beat * seconds + rng.uniform())) * np.minimum(1, seconds / 0.3)
        phase = 2 * np.pi * np.cumsum(hertz * (1 + 0.006 * vibrato)) / SAMPLE_RATE
        tone = np.zeros(length)
        for k in range(1, FLUTE_PARTIALS + 1):
            if k * hertz * 1.01 < TOP_HZ:
                tone += weights[k - 1] * np.sin(k * phase)
        air = _band(rng.standard_normal(length), hertz)
        chiff = 1 + 2 * np.exp(-seconds / CHIFF_SECONDS)
        mixed = tone * (1 + 0.15 * vibrato) + BREATH * (0.25 + 0.75 * breath) * air * chiff
        return event.strength * mixed * edges(length, 0.03, 0.05)

    return _played(source, events, samples, factors, note)


def blown(
    source: Source, events: tuple[Event, ...], samples: int, *, factors: Sequence[float],
    loudness: Callable[[ndarray, tuple[Event, ...]], ndarray], bright: float,
) -> ndarray:  # fmt: skip
    """Sound of a horn, `[S]` float32.

    Args:
        source: gives the pitch.
        events: notes that follow each other.
        samples: length S.
        factors: pitch of each note relative to the source's.
        loudness: of the times `[T]` and the events, 0 to 1 `[T]`: the very curve that the picture shows.
        bright: 0 to 1, how much brighter the strongest tone is.
    """
    rng = stream(source.seed, "lips")
    brightest = BRIGHTEST_HZ * (0.6 + 0.4 * bright)

    def note(event: Event, hertz: float, length: int) -> ndarray:
        seconds = np.arange(length) / SAMPLE_RATE
        level = loudness(seconds + event.start_seconds, (event,))
        scoop = 1 - 0.03 * np.exp(-seconds / 0.03) + 0.002 * np.sin(2 * np.pi * 5 * seconds + rng.uniform(0, 6))
        phase = 2 * np.pi * np.cumsum(hertz * scoop) / SAMPLE_RATE
        r = np.exp(-hertz / (DULLEST_HZ * (brightest / DULLEST_HZ) ** level))
        tone = harmonics(phase, r, max(1, int(TOP_HZ / (hertz * 1.01))))
        return tone * np.sqrt(1 - r**2) * level + 0.01 * level * rng.standard_normal(length)

    return _played(source, events, samples, factors, note)


def harmonics(phase: ndarray, r: ndarray, count: int) -> ndarray:
    """The sum of r^(k-1) sin(k phase) over k = 1 to `count`, in closed form; r below 1."""
    last = r ** (count - 1)
    above = np.sin(phase) - last * (r * np.sin((count + 1) * phase) - r**2 * np.sin(count * phase))
    return above / (1 - 2 * r * np.cos(phase) + r**2)


def _played(
    source: Source,
    events: tuple[Event, ...],
    samples: int,
    factors: Sequence[float],
    note: Callable[[Event, float, int], ndarray],
) -> ndarray:
    result = np.zeros(samples)
    for event, factor in zip(events, factors, strict=True):
        clip = span(event.start_seconds, event.stop_seconds, samples)
        length = clip.stop - clip.start
        if length >= 16:
            result[clip] += note(event, source.pitch_hz * factor, length)
    return unit_peak(result).astype(np.float32)


def _band(noise: ndarray, hertz: float) -> ndarray:
    """Noise of deviation 1 around a pitch, a third as wide as it is high, with some hiss."""
    angle, radius = 2 * np.pi * min(hertz, TOP_HZ) / SAMPLE_RATE, np.exp(-np.pi * hertz / 3 / SAMPLE_RATE)
    band = filtered([1.0, 0.0, -1.0], [1.0, -2 * radius * np.cos(angle), radius**2], noise)
    return 0.9 * band / band.std() + HISS * filtered([1.0, -0.8], [1.0], noise)
