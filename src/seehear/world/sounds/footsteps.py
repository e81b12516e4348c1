"""Footsteps: a heel's impact on the ground, then the sole's, each with the noise of the surface.

The heel strikes at the event; the sole follows, softer, as the foot rolls down. The blow is a short, strongly damped
modal sound (see `modal`); the surface gives grains of noise: hardly any on boards, many on gravel.

Legend: S samples, L samples of one step.
"""

import dataclasses

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from seehear.world.scenes import Event, Source
from seehear.world.sounds.filters import filtered
from seehear.world.sounds.levels import SAMPLE_RATE, TOP_HZ, unit_peak
from seehear.world.sounds.modal import struck
from seehear.world.streams import stream

RATIOS, WEIGHTS = (1.0, 2.4, 4.3, 7.1), (1.0, 0.5, 0.35, 0.25)
LOSS, CONTACT_SECONDS = 0.22, 0.0015
SOLE_SECONDS, SOLE_STRENGTH = (0.06, 0.11), 0.35  # after the heel
CRUNCH_SECONDS, CRUNCH_RATIO = 0.16, 14.0  # length of the surface's noise, and its middle in pitches
FEWEST_GRAINS, MOST_GRAINS = 250.0, 1_800.0  # per second


def stepping(source: Source, events: tuple[Event, ...], samples: int, *, gravel: float) -> ndarray:
    """Sound of steps, `[S]` float32; `gravel` 0 to 1 leads from boards to loose stones."""
    rng = stream(source.seed, "steps")
    soles = tuple(_sole(rng, event) for event in events)
    blows = struck(source, (*events, *soles), samples, RATIOS, WEIGHTS, loss=LOSS, contact_seconds=CONTACT_SECONDS,
                   click=0.2, rayleigh_share=0.5)  # fmt: skip
    force = np.zeros(samples + round(CRUNCH_SECONDS * SAMPLE_RATE))
    for event, sole in zip(events, soles, strict=True):
        _crunch(rng, force, event, 0.02, gravel)
        _crunch(rng, force, sole, 0.045, gravel)
    hertz = min(TOP_HZ * 0.8, source.pitch_hz * CRUNCH_RATIO)
    angle, radius = 2 * np.pi * hertz / SAMPLE_RATE, np.exp(-0.25 * np.pi * hertz / SAMPLE_RATE)
    noise = filtered([1.0, 0.0, -1.0], [1.0, -2 * radius * np.cos(angle), radius**2], force[:samples])
    return unit_peak((1 - 0.75 * gravel) * blows + (0.08 + 0.9 * gravel) * unit_peak(noise)).astype(np.float32)


def _sole(rng: Generator, event: Event) -> Event:
    start = event.start_seconds + rng.uniform(*SOLE_SECONDS)
    return dataclasses.replace(event, start_seconds=start, strength=SOLE_STRENGTH * event.strength)


def _crunch(rng: Generator, force: ndarray, event: Event, settle_seconds: float, gravel: float) -> None:
    """Add the grains of one contact to `force`: a Poisson stream that thins out."""
    start = round(event.start_seconds * SAMPLE_RATE)
    room = force[start : start + round(CRUNCH_SECONDS * SAMPLE_RATE)]
    seconds = np.arange(len(room)) / SAMPLE_RATE
    rate = FEWEST_GRAINS * (MOST_GRAINS / FEWEST_GRAINS) ** gravel
    hits = (rng.uniform(size=len(room)) < rate / SAMPLE_RATE) * rng.exponential(size=len(room))
    grains = (hits + 0.06) * rng.standard_normal(len(room))
    room += event.strength * np.exp(-seconds / settle_seconds) * grains
