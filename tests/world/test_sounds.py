"""Sound models against closed forms: pitch, decay, bandwidth, onset, density."""

import dataclasses

import numpy as np
import pytest

from seehear.world import scene
from seehear.world.classes import NAMES, kind
from seehear.world.kinds import CREST
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.bubbles import drops_per_second
from seehear.world.sounds.filters import filtered
from seehear.world.sounds.karplus import plucked
from seehear.world.sounds.mixing import mix
from seehear.world.sounds.modal import struck
from seehear.world.sounds.room import LONGEST_SECONDS, SHORTEST_SECONDS, respond, reverberation_seconds
from seehear.world.sounds.sustained import bowed

RATE, SAMPLES = 16_000, 51_200
HIT = (Event(0, "impact", 0.5, 0.6, 1.0, 0),)


def source(hertz: float, name: str = "bell", code: float = 0.5, gloss: float = 0.5) -> Source:
    return Source(Instance(name, 0, (code,) * 8, gloss, 7), 0, hertz, 0.0, 11)


def strongest_hz(sound: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 2**19))
    return float(spectrum.argmax() / 2**19 * RATE)


def decay_seconds(sound: np.ndarray, first: int, last: int) -> float:
    """T60 from the slope of the level over a stretch."""
    level = 10 * np.log10((sound[first:last].reshape(-1, 400).astype(float) ** 2).mean(axis=1))
    slope = np.polyfit(np.arange(len(level)) * 400 / RATE, level, 1)[0]
    return -60 / slope


def test_one_mode_rings_at_its_pitch_and_decays_as_its_loss_says():
    hertz, loss = 440.0, 0.01
    sound = struck(source(hertz), HIT, SAMPLES, (1.0,), (1.0,), loss=loss, contact_seconds=0.0005)
    own = strongest_hz(sound)
    assert own == pytest.approx(hertz, rel=0.07)  # three deviations of the individual's detuning of 2 %
    expected = np.log(1000) / (np.pi * hertz * loss)
    assert decay_seconds(sound, 9_600, 17_600) == pytest.approx(expected, rel=0.1)


def test_soft_contacts_excite_fewer_high_modes():
    def centroid(contact: float) -> float:
        sound = struck(
            source(300.0), HIT, SAMPLES, (1.0, 2.7, 5.4, 8.9), (1.0,) * 4, loss=0.02, contact_seconds=contact
        )
        power = np.abs(np.fft.rfft(sound)) ** 2
        return float((power * np.fft.rfftfreq(SAMPLES, 1 / RATE)).sum() / power.sum())

    assert centroid(0.0003) > 1.3 * centroid(0.003)


@pytest.mark.parametrize("hertz", [110.0, 220.0, 440.0])
def test_a_plucked_string_has_its_pitch_and_its_ring_time(hertz):
    sound = plucked(source(hertz, "lute"), HIT, SAMPLES, ring_seconds=1.0, pick_place=0.2)
    block = sound[9_600:25_600].astype(float)
    correlation = np.correlate(block, block, "full")[len(block) - 1 :]
    low, high = int(RATE / hertz * 0.7), int(RATE / hertz * 1.4)
    period = low + correlation[low:high].argmax()
    assert RATE / period == pytest.approx(hertz, rel=0.02)
    late = filtered([1.0], [1.0, -0.98], sound)  # the fundamental: highs die sooner
    assert decay_seconds(late, 16_000, 40_000) == pytest.approx(1.0, rel=0.25)


def test_bowed_sound_stays_in_band():
    sound = bowed(source(700.0, "fiddle"), (Event(0, "stroke", 0.2, 3.0, 1.0, 0),), SAMPLES, bright=1.0, body=1.0)
    power = np.abs(np.fft.rfft(sound * np.hanning(SAMPLES))) ** 2
    frequency = np.fft.rfftfreq(SAMPLES, 1 / RATE)
    assert power[frequency > 7_700].sum() < 2e-3 * power.sum()


@pytest.mark.parametrize("name", NAMES)
def test_every_class_is_silent_before_its_first_event_and_sounds_at_once(name):
    own = kind(name)
    stop = 3.2 if own.rhythm == "continuous" else 0.9
    events = (Event(0, "x", 0.61803, stop, 1.0, 0),)
    pitch = float(np.sqrt(np.prod(own.pitch_range_hz)))
    sound = own.voice(source(pitch, name), events, SAMPLES)
    onset = round(0.61803 * RATE)
    assert sound.shape == (SAMPLES,)
    assert sound.dtype == np.float32
    assert not sound[:onset].any()
    assert np.abs(sound[onset : onset + 80]).max() > 0  # within 5 ms
    assert np.abs(sound).max() <= 1.5
    assert np.isfinite(sound).all()


@pytest.mark.parametrize("name", ["wood bar", "bird"])
def test_every_event_raises_the_stem_within_five_milliseconds(name):
    own = kind(name)
    starts = (0.3, 1.0001, 1.7537, 2.6)
    events = tuple(Event(0, "impact", s, s + 0.1, 1.0, 0) for s in starts)
    sound = own.voice(source(own.pitch_range_hz[1] * 0.5, name), events, SAMPLES)
    for start in starts:
        at = round(start * RATE)
        before, after = np.abs(sound[at - 80 : at - 1]).max(), np.abs(sound[at : at + 80]).max()
        assert after > 5 * before + 1e-3


def test_rain_has_the_drops_its_rate_says():
    """More drops, more steady sound: the level varies less from block to block."""

    def unevenness(rate: float) -> float:
        code = (0.5, 0.5, 0.5, rate, *(0.5,) * 4)
        who = dataclasses.replace(source(2_000.0, "rain").instance, code=code)
        events = (Event(0, "runs", 0.1, 3.2, 1.0, 0),)
        sound = kind("rain").voice(Source(who, 0, 2_000.0, 0.0, 3), events, SAMPLES)
        level = (sound[4_800:48_000].reshape(-1, 160) ** 2).mean(axis=1)
        return float(level.std() / level.mean())

    assert unevenness(0.05) > 1.5 * unevenness(0.95)
    assert drops_per_second(0.0) == pytest.approx(25)
    assert drops_per_second(1.0) == pytest.approx(700)


def test_an_engine_fires_at_its_rate():
    events = (Event(0, "runs", 0.1, 3.2, 1.0, 0),)
    sound = kind("engine").voice(source(20.0, "engine"), events, SAMPLES)
    envelope = np.abs(sound[4_800:48_000]).reshape(-1, 40).mean(axis=1)
    envelope = envelope - envelope.mean()
    spectrum = np.abs(np.fft.rfft(envelope, 2**15))
    band = slice(int(8 / 400 * 2**15), int(32 / 400 * 2**15))
    assert (band.start + spectrum[band].argmax()) / 2**15 * 400 == pytest.approx(20.0, rel=0.1)


def test_the_room_keeps_the_direct_path_and_rings_as_long_as_it_says():
    clip = scene("tiny", "train", 0, 0)
    background = dataclasses.replace(clip.background, reverberation_seconds=0.6)
    impulse = np.zeros(16_000, np.float32)
    impulse[100] = 1
    heard = respond(background, impulse, off_screen=False)
    assert np.abs(heard[:100]).max() < 1e-6  # rounding of the fast convolution
    assert heard[100] == pytest.approx(1.0)
    tail = heard[200:9_000].astype(float) ** 2
    remaining = 10 * np.log10(np.cumsum(tail[::-1])[::-1])
    fifth, thirty = (np.argmax(remaining < remaining[0] - d) for d in (5, 30))
    assert (thirty - fifth) / RATE * 60 / 25 == pytest.approx(0.6, rel=0.2)
    assert reverberation_seconds(0, 0) == pytest.approx(SHORTEST_SECONDS)
    assert reverberation_seconds(1, 1) == pytest.approx(LONGEST_SECONDS)


@pytest.mark.parametrize("preset", ["tiny", "multi"])
def test_stems_add_up_to_the_mixture_at_the_drawn_loudness(preset):
    for index in range(10):
        clip = scene(preset, "train", index, 5)
        mixture, stems = mix(clip)
        assert set(stems) == {f"source {k}" for k in range(len(clip.sources))} | {"background"}
        total = np.sum([stem.astype(float) for stem in stems.values()], axis=0)
        assert np.abs(total - mixture).max() <= 1e-6
        assert np.abs(mixture).max() <= 0.99
        loudness = 10 * np.log10((mixture.astype(float) ** 2).mean())
        assert loudness == pytest.approx(clip.grade.loudness_db, abs=0.5)
        assert np.count_nonzero(mixture == 0) < 20  # never digital silence
        floor = 10 * np.log10((stems["background"].astype(float) ** 2).mean())
        assert floor >= -61


def test_the_limiter_bounds_peaks_and_leaves_the_rest_alone():
    from seehear.world.sounds.mixing import KNEE_SHARE, _limit

    rng = np.random.default_rng(0)
    steady = rng.uniform(-1, 1, 16_000).astype(np.float32)
    np.testing.assert_allclose(_limit(steady, CREST), steady / np.sqrt((steady.astype(float) ** 2).mean()), rtol=1e-4)
    spiky = np.zeros(16_000, np.float32)
    spiky[::1000] = 1
    bent = _limit(spiky, CREST)
    assert KNEE_SHARE * CREST < np.abs(bent).max() <= CREST
