"""Fan: air noise that swells with every passing blade; blades are not quite alike, so each turn repeats a pattern.

Legend: S samples.
"""

import numpy as np
from numpy import ndarray

from seehear.world.scenes import Event, Source
from seehear.world.sounds.filters import filtered
from seehear.world.sounds.levels import SAMPLE_RATE, edges, span, unit_peak
from seehear.world.streams import stream

UNEVEN = 0.15  # deviation of one blade's strength
SPIN_UP_SECONDS = 0.25
STEADY = 0.12  # share of the air noise that does not beat
DARKEST_HZ, BRIGHTEST_HZ = 700.0, 3_500.0  # corner of the low-pass


def blowing(source: Source, events: tuple[Event, ...], samples: int, *, blades: int, bright: float) -> ndarray:
    """Sound of a fan, `[S]` float32: `source.pitch_hz` blades pass per second; `bright` 0 to 1 opens the low-pass."""
    rng = stream(source.seed, "air")
    own = stream(source.instance.seed, "blades")
    strengths = np.maximum(0.4, 1 + UNEVEN * own.standard_normal(blades))
    sharpness = own.uniform(1.5, 3.0)
    result = np.zeros(samples)
    for event in events:
        clip = span(event.start_seconds, event.stop_seconds, samples)
        length = clip.stop - clip.start
        if length < 2:
            continue
        passed = _passed(source.pitch_hz, length)
        which = np.floor(passed).astype(int) % blades
        swell = (0.5 - 0.5 * np.cos(2 * np.pi * passed)) ** sharpness * strengths[which]
        air = _air(rng, length, DARKEST_HZ * (BRIGHTEST_HZ / DARKEST_HZ) ** bright)
        result[clip] += air * (STEADY + swell) * edges(length, 0.02, 0.1)
    return unit_peak(result).astype(np.float32)


def _passed(rate: float, length: int) -> ndarray:
    """Blades that have passed up to each sample while the fan comes up to speed."""
    seconds = np.arange(length) / SAMPLE_RATE
    speed = np.clip(seconds / SPIN_UP_SECONDS, 0.3, 1)
    return np.cumsum(rate * speed) / SAMPLE_RATE


def _air(rng: np.random.Generator, length: int, corner_hz: float) -> ndarray:
    """Noise of deviation 1: two poles of low-pass, no rumble."""
    pole = np.exp(-2 * np.pi * corner_hz / SAMPLE_RATE)
    noise = filtered([1.0, -0.98], np.convolve([1.0, -pole], [1.0, -pole]), rng.standard_normal(length))
    return noise / noise.std()
