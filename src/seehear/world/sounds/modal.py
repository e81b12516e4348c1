"""Modal synthesis: a struck body as a sum of decaying sinusoids.

Each mode is a two-pole resonator driven by one half-sine force pulse per event (the pulse's own spectrum is the
mallet's hardness), so re-strikes add up as on a real body and nothing needs to be cut off. Decay follows Rayleigh
damping, d_m = a/2 + b (2 pi f_m)^2 / 2, with d_1 = pi f_1 eta for loss factor eta (modal sound explorer,
dougjam.github.io). Ratios carry an instance's detuning of 2 %.

Legend: S samples.
"""

import numpy as np
from numpy import ndarray

from seehear.world.scenes import Event, Source
from seehear.world.sounds.filters import filtered
from seehear.world.sounds.levels import SAMPLE_RATE, TOP_HZ, unit_peak
from seehear.world.streams import stream

DETUNING = 0.02


def struck(
    source: Source,
    events: tuple[Event, ...],
    samples: int,
    ratios: tuple[float, ...],
    weights: tuple[float, ...],
    *,
    loss: float,
    contact_seconds: float,
    transpose: float = 1.0,
    click: float = 0.0,
    rayleigh_share: float = 0.6,
) -> ndarray:
    """Sound of a body struck at every event, `[S]` float32.

    Args:
        source: gives pitch, instance detuning and the strike position.
        events: strikes.
        samples: length S.
        ratios: mode frequencies relative to the pitch.
        weights: mode strengths.
        loss: loss factor eta of the material.
        contact_seconds: length of the force pulse; soft mallets push longer and excite fewer high modes.
        transpose: factor on the pitch.
        click: share of a noise burst at the contact.
        rayleigh_share: part of d_1 that does not grow with frequency.
    """
    own = stream(source.instance.seed, "modes")
    rng = stream(source.seed, "strike")
    force = _force(events, samples, contact_seconds)
    detuned = np.array(ratios) * (1 + DETUNING * own.standard_normal(len(ratios)))
    strike = np.abs(np.sin(np.pi * np.arange(1, len(ratios) + 1) * rng.uniform(0.15, 0.35)))
    first = np.pi * source.pitch_hz * transpose * loss
    result = np.zeros(samples)
    for ratio, weight, place in zip(detuned, weights, strike, strict=True):
        hertz = source.pitch_hz * transpose * ratio
        if hertz < TOP_HZ:
            decay = first * (rayleigh_share + (1 - rayleigh_share) * ratio**2)
            result += weight * (0.4 + 0.6 * place) * _resonate(force, hertz, decay)
    result = unit_peak(result)
    if click:
        burst = force * rng.standard_normal(samples)
        result += click * unit_peak(filtered([1.0, -0.6], [1.0], burst))
    return result.astype(np.float32)


def _force(events: tuple[Event, ...], samples: int, contact_seconds: float) -> ndarray:
    length = max(2, round(contact_seconds * SAMPLE_RATE))
    pulse = np.sin(np.pi * (np.arange(length) + 0.5) / length)
    force = np.zeros(samples + length)
    for event in events:
        start = round(event.start_seconds * SAMPLE_RATE)
        if start < samples:
            force[start : start + length] += event.strength * pulse
    return force[:samples]


def _resonate(force: ndarray, hertz: float, decay: float) -> ndarray:
    """Response of exp(-decay t) sin(2 pi hertz t) to a force."""
    angle, radius = 2 * np.pi * hertz / SAMPLE_RATE, np.exp(-decay / SAMPLE_RATE)
    return filtered([0.0, radius * np.sin(angle)], [1.0, -2 * radius * np.cos(angle), radius**2], force)
