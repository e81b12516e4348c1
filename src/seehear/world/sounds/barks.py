"""Barks: glottal bursts of 80 to 150 ms through three falling formants.

Source and filter (Fant, "Acoustic Theory of Speech Production", 1960) in additive form: harmonics of a falling, rough
pitch, each weighted by the resonance curves at its own frequency of the moment. Larger dogs have lower formants.

Legend: S samples, L samples of one bark, K harmonics.
"""

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from seehear.world.scenes import Event, Source
from seehear.world.sounds.filters import filtered
from seehear.world.sounds.levels import SAMPLE_RATE, TOP_HZ, edges, unit_peak
from seehear.world.streams import stream

SHORTEST_SECONDS, LONGEST_SECONDS = 0.08, 0.15
FORMANTS_HZ, WIDTHS_HZ, WEIGHTS = (850.0, 1500.0, 2900.0), (160.0, 220.0, 420.0), (1.0, 0.7, 0.3)
REFERENCE_HZ, FORMANT_POWER = 350.0, 0.45  # formants grow with the pitch, but less than it
FORMANT_FALL, PITCH_FALL = 0.45, 0.4  # octaves lost from a bark's peak to its end
ROUGHNESS, BREATH = 0.05, 0.2
MOST_HARMONICS = 40
STEP = 16  # samples for which the formants stand still


def barking(source: Source, events: tuple[Event, ...], samples: int, *, tract: float) -> ndarray:
    """Sound of barks, `[S]` float32; `tract` scales the individual's formants."""
    rng = stream(source.seed, "barks")
    scale = tract * (source.pitch_hz / REFERENCE_HZ) ** FORMANT_POWER
    result = np.zeros(samples)
    for event in events:
        length = round(rng.uniform(SHORTEST_SECONDS, LONGEST_SECONDS) * SAMPLE_RATE)
        bark = _bark(rng, length, source.pitch_hz, scale)
        room = result[round(event.start_seconds * SAMPLE_RATE) :][:length]
        room += event.strength * bark[: len(room)]
    return unit_peak(result).astype(np.float32)


def _bark(rng: Generator, length: int, pitch_hz: float, scale: float) -> ndarray:
    """One bark `[L]`: up quickly, down slowly, in pitch, formants and level alike."""
    share = np.arange(length) / length
    arch = np.where(share < 0.2, share / 0.2 - 1, (0.2 - share) / 0.8)  # -1 at the start, 0 at the peak, -1 at the end
    wander = filtered([0.12], [1.0, -0.88], rng.standard_normal(length)) * ROUGHNESS * 3
    hertz = pitch_hz * 2 ** (PITCH_FALL * arch + wander)
    turns = np.cumsum(hertz) / SAMPLE_RATE
    count = int(min(MOST_HARMONICS, max(1, TOP_HZ / hertz.max())))
    k = np.arange(1, count + 1)[:, None]
    gain = _formants(k * hertz[::STEP], scale * 2 ** (FORMANT_FALL * arch[::STEP])) / np.sqrt(k)
    tone = _harmonics(np.repeat(gain.astype(np.float32), STEP, axis=1)[:, :length], turns)
    hiss = filtered([1.0, -0.8], [1.0, -0.2], rng.standard_normal(length))
    noisy = tone / (tone.std() + 1e-9) + BREATH * hiss / hiss.std()
    return noisy * np.exp(1.2 * arch) * edges(length, 0.008, 0.05)


def _harmonics(gain: ndarray, turns: ndarray) -> ndarray:
    """Sum of sines of whole multiples of a phase `turns [L]`, weighted by `gain [K, L]`; powers instead of sines."""
    first = np.exp(2j * np.pi * turns).astype(np.complex64)
    power, tone = np.ones_like(first), np.zeros(len(turns), np.float32)
    for weights in gain:
        power *= first
        tone += weights * power.imag
    return tone


def _formants(hertz: ndarray, glide: ndarray) -> ndarray:
    """Gain `[K, L]` of three resonances whose frequencies follow `glide [L]`."""
    gain = np.full(hertz.shape, 0.02)
    for centre, width, weight in zip(FORMANTS_HZ, WIDTHS_HZ, WEIGHTS, strict=True):
        gain += weight / (1 + ((hertz - centre * glide) / (width * glide)) ** 2)
    return gain
