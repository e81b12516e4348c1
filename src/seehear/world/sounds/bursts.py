"""Bursts: noise in one band that begins at once and dies away, as slams, pops and puffs make it.

Legend: S samples.
"""

import numpy as np
from numpy import ndarray

from seehear.world.scenes import Event, Source
from seehear.world.sounds.filters import filtered
from seehear.world.sounds.levels import SAMPLE_RATE, TOP_HZ, unit_peak
from seehear.world.streams import stream

RISE_SECONDS = 0.001


def bursting(
    source: Source,
    events: tuple[Event, ...],
    samples: int,
    *,
    centre_hz: float,
    loss: float,
    decay_seconds: float,
    hold_seconds: float = 0.0,
) -> ndarray:
    """Sound of a burst at every event, `[S]` float32, peak 1.

    Args:
        source: gives the noise.
        events: when.
        samples: length S.
        centre_hz: middle of the band.
        loss: width of the band as a share of its middle.
        decay_seconds: time in which its amplitude falls to 1/e.
        hold_seconds: how long it is at full strength first.
    """
    rng = stream(source.seed, "burst")
    force = np.zeros(samples)
    for event in events:
        start = min(samples, round(event.start_seconds * SAMPLE_RATE))
        seconds = np.arange(samples - start) / SAMPLE_RATE
        falling = np.exp(-np.maximum(seconds - hold_seconds, 0) / decay_seconds)
        rising = np.clip((seconds * SAMPLE_RATE + 1) / (RISE_SECONDS * SAMPLE_RATE), 0, 1)
        force[start:] += event.strength * rising * falling * rng.standard_normal(len(seconds))
    hertz = min(centre_hz, TOP_HZ)
    angle, radius = 2 * np.pi * hertz / SAMPLE_RATE, np.exp(-np.pi * hertz * loss / SAMPLE_RATE)
    return unit_peak(filtered([1.0, 0.0, -1.0], [1.0, -2 * radius * np.cos(angle), radius**2], force)).astype(
        np.float32
    )
