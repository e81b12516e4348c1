"""Every class: it fills its extent, moves only when it sounds, and shows what it sounds like."""

import dataclasses

import numpy as np
import pytest

from seehear.world import PRESETS, Preset, render, scene
from seehear.world.classes import NAMES, kind
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.tunes import tune
from seehear.world.sounds.winds import harmonics

RATE, SAMPLES = 16_000, 51_200
HIT = (Event(0, "impact", 0.5, 0.6, 1.0, 0),)
RUN = (Event(0, "runs", 0.1, 3.2, 1.0, 0),)


def alone(name: str) -> Preset:
    return dataclasses.replace(PRESETS["unit"], classes=(name,))


def source(hertz: float, name: str, gloss: float = 0.5) -> Source:
    return Source(Instance(name, 0, (0.5,) * 8, gloss, 7), 0, hertz, 0.0, 11)


@pytest.mark.parametrize("name", NAMES)
def test_a_class_stands_where_its_scene_says_and_moves_with_its_sound(name):
    off, ratios = [], []
    for index in range(8):
        clip = scene(alone(name), "train", index, 0)
        shown = render(clip)
        body = clip.bodies[0]
        x0, y0, x1, y1 = np.array(shown.truth["objects"][0]["boxes"]).mean(axis=0)
        off.append([(x0 + x1) / 2 - body.x, (y0 + y1) / 2 - body.y])
        ratios.append(max(x1 - x0, y1 - y0) / body.size)
    assert np.abs(np.mean(off, axis=0)).max() < 0.05  # a bow rests at either end
    assert min(ratios) > 0.7
    assert max(ratios) < 1.35
    quiet = render(dataclasses.replace(clip, events=()))
    assert (quiet.pixels == quiet.pixels[:1]).all()
    assert (shown.pixels != quiet.pixels).any()


def test_tunes_belong_to_the_individual_and_never_stand_still():
    who = source(440.0, "flute").instance
    steps = tune(who, 40, 7)
    assert (np.diff(steps) != 0).all()
    assert set(steps.tolist()) == set(range(7))
    assert (tune(who, 10, 7) == steps[:10]).all()


@pytest.mark.parametrize("count", [1, 5, 30])
def test_the_closed_form_of_harmonics_is_their_sum(count):
    phase, r = np.linspace(0, 20, 501), np.linspace(0.1, 0.95, 501)
    direct = sum(r ** (k - 1) * np.sin(k * phase) for k in range(1, count + 1))
    np.testing.assert_allclose(harmonics(phase, r, count), direct, atol=1e-9)


def level_db(sound: np.ndarray, start: float, stop: float) -> float:
    part = sound[round(start * RATE) : round(stop * RATE)].astype(float)
    return float(10 * np.log10((part**2).mean() + 1e-20))


def test_ceramic_is_the_outline_of_metal_with_more_damping():
    metal, clay = kind("bell"), kind("ceramic bell")
    assert metal.pitch_range_hz == clay.pitch_range_hz
    fall = {}
    for own in (metal, clay):
        sound = own.voice(source(400.0, own.name), HIT, SAMPLES)
        fall[own.name] = level_db(sound, 0.5, 0.55) - level_db(sound, 0.65, 0.7)
    assert fall["ceramic bell"] > 2.5 * fall["bell"]


def test_a_harp_rings_longer_than_a_lute_and_a_glass_longer_than_wood():
    def left(name: str) -> float:
        sound = kind(name).voice(source(400.0, name), HIT, SAMPLES)
        return level_db(sound, 1.2, 1.4) - level_db(sound, 0.5, 0.7)

    assert left("harp") > left("lute") + 6
    assert left("glass cup") > left("wood bar") + 20


def test_a_louder_horn_is_brighter():
    def centroid(strength: float) -> float:
        events = (Event(0, "stroke", 0.2, 2.5, strength, 0),)
        power = np.abs(np.fft.rfft(kind("horn").voice(source(250.0, "horn"), events, SAMPLES))) ** 2
        return float(power @ np.fft.rfftfreq(SAMPLES, 1 / RATE) / power.sum())

    assert centroid(1.0) > 1.5 * centroid(0.6)


def test_a_flute_is_four_harmonics_and_breath():
    sound = kind("flute").voice(source(500.0, "flute"), (Event(0, "stroke", 0.2, 3.0, 1.0, 0),), SAMPLES)
    power = np.abs(np.fft.rfft(sound[8_000:40_000] * np.hanning(32_000))) ** 2
    frequency = np.fft.rfftfreq(32_000, 1 / RATE)
    first = frequency[power.argmax()]
    assert 0.75 * 500 < first < 1.55 * 500

    def around(k: int) -> float:
        return float(power[np.abs(frequency - k * first) < 0.1 * first].sum())

    assert around(1) > 5 * around(2) > 0
    assert around(2) > around(4) > 0.5 * around(5)


def test_a_fan_beats_as_its_blades_pass():
    sound = kind("fan").voice(source(12.0, "fan"), RUN, SAMPLES)
    envelope = np.abs(sound[8_000:48_000]).reshape(-1, 40).mean(axis=1)
    spectrum = np.abs(np.fft.rfft(envelope - envelope.mean(), 2**15))
    band = slice(int(6 / 400 * 2**15), int(20 / 400 * 2**15))
    assert (band.start + spectrum[band].argmax()) / 2**15 * 400 == pytest.approx(12.0, rel=0.05)
