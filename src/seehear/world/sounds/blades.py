"""Fan: air noise that swells with every passing blade, and the motor's hum; blades differ, so each turn is a pattern.

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
STEADY = 0.06  # share of the air noise that does not beat
HUM, HUM_RATIO = 0.2, 14  # the motor's tone: strength, and frequency relative to the beats
DARKEST_HZ, BRIGHTEST_HZ = 400.0, 1_600.0  # corner of the low-pass
RUMBLE_POLE = 0.975  # of the high-pass, about 60 Hz


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
        turns = 2 * np.pi * HUM_RATIO * passed
        hum = HUM * (np.sin(turns) + 0.5 * np.sin(2 * turns))
        result[clip] += (air * (STEADY + swell) + hum) * edges(length, 0.02, 0.1)
    return unit_peak(result).astype(np.float32)


def _passed(rate: float, length: int) -> ndarray:
    """Blades that have passed up to each sample while the fan comes up to speed."""
    seconds = np.arange(length) / SAMPLE_RATE
    speed = np.clip(seconds / SPIN_UP_SECONDS, 0.3, 1)
    return np.cumsum(rate * speed) / SAMPLE_RATE


def _air(rng: np.random.Generator, length: int, corner_hz: float) -> ndarray:
    """Noise of deviation 1: two poles of low-pass, no rumble."""
    pole = np.exp(-2 * np.pi * corner_hz / SAMPLE_RATE)
    poles = np.poly([pole, pole, RUMBLE_POLE])
    noise = filtered([1.0, -1.0], poles, rng.standard_normal(length))
    return noise / noise.std()
