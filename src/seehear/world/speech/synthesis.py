"""Formant synthesis: a glottal source and noises through the moving resonances of a vocal tract.

After Klatt (JASA 1980): voice and breath run through a cascade of five resonators, hiss and bursts through one of their
own beside it. Resonances move, so the filters are applied by short-time overlap-add (Allen and Rabiner, Proc. IEEE
1977): 16-ms Hann windows, each through the tract of its moment. Every such filter is causal, so nothing sounds before
its cause. The source is a pulse train without aliasing (a sum of cosines in closed form; Moorer, JAES 1976), rolled off
by 6 dB per octave: glottal pulse and radiation together.

Legend: S samples, P phonemes, F frames, T times.
"""

import numpy as np
from numpy import ndarray
from numpy.lib.stride_tricks import sliding_window_view

from seehear.world.scenes import Event, Source
from seehear.world.sounds.filters import filtered
from seehear.world.sounds.levels import SAMPLE_RATE, TOP_HZ, unit_peak
from seehear.world.speech.coarticulation import shares, track
from seehear.world.speech.emotions import NEUTRAL, PROSODIES, Prosody
from seehear.world.speech.phonemes import PHONEMES, Phoneme
from seehear.world.speech.speakers import voice
from seehear.world.streams import stream

HOP, WINDOW, TRANSFORM = 128, 256, 768
FIXED_HZ, WIDTHS_HZ = (3_500.0, 4_500.0), (70.0, 90.0, 130.0, 220.0, 300.0)
NASAL_WIDTH = 2.5  # resonances are so many times as wide while the nose is open
REST_HZ = (500.0, 1_500.0, 2_500.0)
ONSET_SECONDS = 0.012  # in which voice and hiss come and go
STEP_SECONDS = 0.001  # grid of the amplitudes
GLOTTIS_HZ = 120.0  # corner of the source's roll-off
TILT_HZ, TILT_OCTAVES = 400.0, 4.0
BURST_SECONDS = 0.007
RELEASE_SECONDS = {True: 0.012, False: 0.04}  # from a stop's burst to its end: voiced or not
STRESS, ACCENT_OCTAVES, DECLINE_OCTAVES = 0.7, 0.8, 0.15
BREATH_LEVEL, ASPIRATION_LEVEL, HISS_LEVEL = 0.12, 0.35, 2.2
OWN_OCTAVES = {"level": 0.04, "range": 0.18, "energy": 0.15}  # deviations of a clip's own prosody, in octaves


def speaking(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    """Sound of phonemes that a speaker says, `[S]` float32; `source.manner` is the emotion, "" for none."""
    if not events:
        return np.zeros(samples, np.float32)
    rng = stream(source.seed, "speech")
    own, prosody = voice(source.instance), prosody_of(source)
    said = [PHONEMES[event.kind] for event in events]
    starts = np.array([event.start_seconds for event in events])
    stops = np.array([event.stop_seconds for event in events])
    first = int(starts[0] * SAMPLE_RATE)
    last = min(samples, int((stops[-1] + 0.06) * SAMPLE_RATE))
    times = np.arange(first, last) / SAMPLE_RATE
    loud = np.array([event.strength for event in events]) ** prosody.energy
    voiced, breath, hiss = _amplitudes(said, starts, stops, loud, times)
    breath += BREATH_LEVEL * np.clip(own.breathiness + prosody.breath, 0, 1.5) * voiced
    turns = np.cumsum(pitch_track(source, events, times) * (1 + _wobble(rng, own.jitter, len(times)))) / SAMPLE_RATE
    noise = rng.standard_normal(len(times))
    flow = _glottis(turns, np.gradient(turns) * SAMPLE_RATE) * voiced
    flow += breath * noise * (1 + 0.6 * np.cos(2 * np.pi * turns))
    flow = tilted(flow, prosody.tilt_db)
    middles = first / SAMPLE_RATE + np.arange(-(-len(times) // HOP) + 1) * HOP / SAMPLE_RATE
    near = shares(middles, starts, stops)
    tract, front = _tract(said, near, own.tract), _front(said, near)
    result = np.zeros(samples)
    result[first:last] = _through((flow, HISS_LEVEL * hiss * noise), (tract, front))
    return unit_peak(result).astype(np.float32)


def prosody_of(source: Source) -> Prosody:
    """The prosody of the source's emotion, with the clip's own deviation, which no emotion has a part in."""
    rng = stream(source.seed, "prosody")
    base = PROSODIES[source.manner or NEUTRAL]
    level, spread, energy = (2 ** (own * rng.standard_normal()) for own in OWN_OCTAVES.values())
    tilt = base.tilt_db + 0.5 * rng.standard_normal()
    return Prosody(base.level * level, base.range * spread, base.rate, base.energy * energy, tilt, base.breath)


def pitch_track(source: Source, events: tuple[Event, ...], times: ndarray) -> ndarray:
    """The pitch in Hz at each time: accents of the stressed vowels on a line that falls to the end."""
    prosody = prosody_of(source)
    vowels = [event for event in events if PHONEMES[event.kind].manner == "vowel"] or list(events)
    middles = [(event.start_seconds + event.stop_seconds) / 2 for event in vowels]
    accents = [ACCENT_OCTAVES * (event.strength - STRESS) for event in vowels]
    place = (times - events[0].start_seconds) / (events[-1].stop_seconds - events[0].start_seconds)
    octaves = np.interp(times, middles, accents) + DECLINE_OCTAVES * (0.5 - place)
    return source.pitch_hz * prosody.level * 2 ** (prosody.range * octaves)


def release_seconds(own: Phoneme) -> float:
    """Time from a stop's burst to its end at rate 1; this is all that is left of it after a pause."""
    return RELEASE_SECONDS[own.voicing > 0]


def _amplitudes(
    said: list[Phoneme], starts: ndarray, stops: ndarray, loud: ndarray, times: ndarray
) -> tuple[ndarray, ndarray, ndarray]:
    """Strength of voice, breath and hiss at each time, each `[S]`."""
    grid = np.arange(times[0], times[-1] + STEP_SECONDS, STEP_SECONDS)
    begins = starts.copy()
    for k, own in enumerate(said):
        if own.manner == "stop" and k and starts[k] - stops[k - 1] < STEP_SECONDS:
            begins[k] = stops[k] - min(release_seconds(own), 0.6 * (stops[k] - starts[k]))
    late = grid - ONSET_SECONDS / 2
    near = shares(late, starts, stops, ONSET_SECONDS) * loud[:, None]
    released = shares(late, begins, stops, ONSET_SECONDS) * loud[:, None]
    held = near - released
    voiced, breath, hiss = (np.zeros(len(grid)) for _ in range(3))
    for k, own in enumerate(said):
        if own.manner == "stop":
            since = grid - begins[k]
            hiss += own.noise * loud[k] * (since >= 0) * np.exp(-np.maximum(since, 0) / BURST_SECONDS)
            voiced += own.voicing * held[k] + (0.5 * released[k] if own.voicing else 0)
            breath += 0 if own.voicing else ASPIRATION_LEVEL * released[k]
        else:
            voiced += own.voicing * near[k]
            hiss += own.noise * near[k]
    return np.interp(times, grid, voiced), np.interp(times, grid, breath), np.interp(times, grid, hiss)


def _wobble(rng: np.random.Generator, jitter: float, length: int) -> ndarray:
    """Relative deviations of the pitch, `[S]`, anew about every 5 ms."""
    step = SAMPLE_RATE // 200
    knots = jitter * rng.standard_normal(length // step + 2)
    return np.interp(np.arange(length), np.arange(len(knots)) * step, knots)


def _glottis(turns: ndarray, hertz: ndarray) -> ndarray:
    """One pulse per turn, with all harmonics below `TOP_HZ`, rolled off by 6 dB per octave; `[S]`, deviation 1."""
    count = np.floor(TOP_HZ / hertz)
    half = np.pi * (turns % 1.0)
    below = np.sin(half)
    close = np.abs(below) < 1e-6
    pulses = np.where(close, count, np.sin((2 * count + 1) * half) / np.where(close, 1, below) / 2 - 0.5)
    radius = np.exp(-2 * np.pi * GLOTTIS_HZ / SAMPLE_RATE)
    flow = filtered([1.0], [1.0, -radius], pulses)
    return flow / flow.std()


def tilted(sound: ndarray, tilt_db: float) -> ndarray:
    """The sound with `tilt_db` per octave more above `TILT_HZ`, over `TILT_OCTAVES`: one pole, one zero."""
    corners = TILT_HZ, TILT_HZ * 2 ** (abs(tilt_db) * TILT_OCTAVES / 6)
    low, high = (np.exp(-2 * np.pi * corner / SAMPLE_RATE) for corner in corners)
    pole, zero = (high, low) if tilt_db > 0 else (low, high)
    return filtered([(1 - pole) / (1 - zero), -zero * (1 - pole) / (1 - zero)], [1.0, -pole], sound)


def _tract(said: list[Phoneme], near: ndarray, tract: float) -> ndarray:
    """Frequency response of the tract in each frame, `[F, bins]`: a cascade of five resonances."""
    goals = np.array([own.formants_hz for own in said])
    nasal = np.array([[float(own.manner == "nasal")] for own in said])
    moving = track(near, goals, np.array(REST_HZ))
    hertz = np.hstack([moving, np.broadcast_to(FIXED_HZ, (len(moving), 2))]) / tract
    widths = np.array(WIDTHS_HZ) * (1 + (NASAL_WIDTH - 1) * track(near, nasal, np.zeros(1)))
    response = _resonance(hertz[:, 0], widths[:, 0])
    for k in range(1, hertz.shape[1]):
        response *= _resonance(hertz[:, k], widths[:, k])
    return response


def _front(said: list[Phoneme], near: ndarray) -> ndarray:
    """Frequency response of the narrow place where it hisses, `[F, bins]`, highest value about 1."""
    noisy = near * np.array([own.noise_hz > 0 for own in said])[:, None] + 1e-9
    mix = noisy / noisy.sum(axis=0)
    middle = mix.T @ np.array([own.noise_hz or 3_000.0 for own in said])
    width = mix.T @ np.array([own.noise_width_hz or 2_000.0 for own in said])
    response = _resonance(middle, width)
    return response / np.abs(response).max(axis=1, keepdims=True)


def _resonance(hertz: ndarray, width: ndarray) -> ndarray:
    """Frequency response of one second-order resonator per frame, gain 1 at 0 Hz, `[F, bins]` complex64."""
    delay = np.exp(-2j * np.pi * np.arange(TRANSFORM // 2 + 1) / TRANSFORM).astype(np.complex64)
    radius = np.exp(-np.pi * width / SAMPLE_RATE)
    b = (-2 * radius * np.cos(2 * np.pi * hertz / SAMPLE_RATE)).astype(np.float32)[:, None]
    c = (radius**2).astype(np.float32)[:, None]
    return (1 + b + c) / (1 + delay * (b + c * delay))


def _through(sounds: tuple[ndarray, ...], responses: tuple[ndarray, ...]) -> ndarray:
    """The sum of the sounds `[S]`, each through its own response `[F, bins]` of each frame."""
    length, frames = len(sounds[0]), len(responses[0])
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
    spectrum = np.zeros(responses[0].shape, np.complex64)
    for sound, response in zip(sounds, responses, strict=True):
        padded = np.zeros((frames + 1) * HOP, np.float32)
        padded[HOP : HOP + length] = sound
        pieces = sliding_window_view(padded, WINDOW)[::HOP] * window
        spectrum += np.fft.rfft(pieces, TRANSFORM, axis=1) * response
    pieces = np.fft.irfft(spectrum, TRANSFORM, axis=1).reshape(frames, TRANSFORM // HOP, HOP)
    result = np.zeros((frames + TRANSFORM // HOP, HOP))
    for k in range(TRANSFORM // HOP):
        result[k : k + frames] += pieces[:, k]
    return result.reshape(-1)[HOP : HOP + length]
