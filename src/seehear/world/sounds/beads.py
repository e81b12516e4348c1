"""Beads in a shell: noise bursts at every reversal of a shaker's motion.

After Cook, "Physically informed sonic modeling (PhISM)" (Computer Music Journal 1997): a reversal throws the beads
against the wall; collisions come as a Poisson stream whose strength decays, each a grain of noise, all heard through
one resonance of the shell.

Legend: S samples, L samples of one burst.
"""

import numpy as np
from numpy import ndarray

from seehear.world.scenes import Event, Source
from seehear.world.sounds.filters import filtered
from seehear.world.sounds.levels import SAMPLE_RATE, TOP_HZ, unit_peak
from seehear.world.streams import stream

BURST_SECONDS, RISE_SECONDS = 0.3, 0.006
GRAIN_SECONDS = 0.0012
RESONANCE_LOSS = 0.16
FLOOR = 0.12  # share of unbroken hiss in a burst


def rattling(source: Source, events: tuple[Event, ...], samples: int, *, beads: float, settle: float) -> ndarray:
    """Sound of reversals, `[S]` float32: collisions per second at a burst's height, and its decay in seconds."""
    rng = stream(source.seed, "beads")
    length = round(BURST_SECONDS * SAMPLE_RATE)
    seconds = np.arange(length) / SAMPLE_RATE
    envelope = np.clip(seconds / RISE_SECONDS, 0.05, 1) * np.exp(-seconds / settle)
    force = np.zeros(samples + length)
    for event in events:
        hits = (rng.uniform(size=length) < beads / SAMPLE_RATE) * rng.exponential(size=length)
        grains = filtered([1.0], [1.0, -np.exp(-1 / (GRAIN_SECONDS * SAMPLE_RATE))], hits) + FLOOR
        start = min(samples, round(event.start_seconds * SAMPLE_RATE))
        force[start : start + length] += event.strength * envelope * grains * rng.standard_normal(length)
    hertz = min(source.pitch_hz, TOP_HZ)
    angle, radius = 2 * np.pi * hertz / SAMPLE_RATE, np.exp(-np.pi * hertz * RESONANCE_LOSS / SAMPLE_RATE)
    shell = filtered([1.0, 0.0, -1.0], [1.0, -2 * radius * np.cos(angle), radius**2], force[:samples])
    bright = filtered([1.0, -0.9], [1.0], force[:samples])
    return unit_peak(shell + 0.25 * bright).astype(np.float32)
