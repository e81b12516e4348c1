"""Track J: factors are independent, each modality alone tells exactly one of them, and pitches are what is heard."""

import dataclasses
from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest

from seehear.world import render, scene
from seehear.world.classes import kind
from seehear.world.painting.picture import paint
from seehear.world.presets import resolve
from seehear.world.sounds.mixing import mix
from seehear.world.splits import instances
from seehear.world.tracks.joint import (
    BIN_OCTAVES,
    GUARD_OCTAVES,
    PITCH_BINS,
    SHAPES,
    TIMBRES,
    baselines,
    pitch_range,
)

PRESET = resolve("unit", track="J")


@pytest.fixture(scope="module")
def scenes():
    return [scene(PRESET, "train", index, 0) for index in range(320)]


def factors(clip):
    return clip.facts["factors"]


def record(clip):
    return {"labels": list(clip.labels), "split": clip.split, "truth": clip.facts}


def test_labels_are_pairs_and_any_prefix_is_balanced(scenes):
    assert len(PRESET.classes) == len(SHAPES) * PITCH_BINS == 16
    for clip in scenes:
        own = factors(clip)
        assert clip.labels == (f"shape {own['shape_bin']} pitch {own['pitch_bin']}",)
        assert SHAPES[own["shape_bin"]] == own["shape"] == clip.bodies[0].instance.kind
        assert own["timbre"] == clip.sources[0].instance.kind
    for count in (16, 17, 50, 320):
        counts = Counter(clip.labels[0] for clip in scenes[:count])
        assert max(counts.values()) - min(counts[name] for name in PRESET.classes) <= 1


def test_shape_pitch_and_timbre_are_factorial(scenes):
    every = Counter((own["shape"], own["pitch_bin"], own["timbre"]) for own in map(factors, scenes[:64]))
    assert every == dict.fromkeys(product(SHAPES, range(PITCH_BINS), TIMBRES), 1)
    for start in range(0, 320, 16):  # and in every round, each two of them
        own = [factors(clip) for clip in scenes[start : start + 16]]
        for one, other in (("shape", "pitch_bin"), ("shape", "timbre"), ("pitch_bin", "timbre")):
            assert len({(item[one], item[other]) for item in own}) == 16


def test_size_and_everything_else_drawn_tells_neither_factor(scenes):
    pitch = np.array([np.log2(clip.sources[0].pitch_hz) for clip in scenes])
    drawn = {
        "size": [clip.bodies[0].size for clip in scenes],
        "x": [clip.bodies[0].x for clip in scenes],
        "ring": [clip.sources[0].instance.gloss for clip in scenes],
        "events": [len(clip.events) for clip in scenes],
        "first": [clip.events[0].start_seconds for clip in scenes],
        "room": [clip.background.reverberation_seconds for clip in scenes],
        "loudness": [clip.grade.loudness_db for clip in scenes],
    }
    shape = np.array([factors(clip)["shape_bin"] for clip in scenes])
    for name, values in drawn.items():
        assert abs(np.corrcoef(pitch, values)[0, 1]) < 3 / len(scenes) ** 0.5, name
        means = [np.mean(np.array(values)[shape == k]) for k in range(len(SHAPES))]
        assert np.ptp(means) < 4 * np.std(values) / 80**0.5, name
    assert {factors(clip)["size_bin"] for clip in scenes} == {0, 1, 2}
    assert {factors(clip)["material"] for clip in scenes} == {"dull", "shiny"}


def test_ceilings_are_exact(scenes):
    for clip in scenes:
        sound, picture = clip.facts["candidates"]["sound"], clip.facts["candidates"]["picture"]
        assert set(sound) & set(picture) == set(clip.labels)
        assert len(set(sound)) == len(set(picture)) == 4
    found = baselines([record(clip) for clip in scenes[:48]])["joint label"]
    assert found["chance"] == 1 / 16
    assert found["ceiling of the sound alone"] == found["ceiling of the picture alone"] == 0.25


@pytest.mark.parametrize("index", [3, 21, 46, 56])
def test_no_pixel_knows_the_pitch_and_no_sample_the_shape(index):
    clip = scene(PRESET, "train", index, 0)
    source, body = clip.sources[0], clip.bodies[0]
    higher = dataclasses.replace(source, pitch_hz=source.pitch_hz * 1.5)
    sung = dataclasses.replace(clip, sources=(higher,), bodies=(dataclasses.replace(body, pitch_hz=higher.pitch_hz),))
    assert (paint(clip).pixels == paint(sung).pixels).all()
    assert (mix(clip)[0] != mix(sung)[0]).any()
    other = SHAPES[(SHAPES.index(body.instance.kind) + 1) % len(SHAPES)]
    masked = dataclasses.replace(body, instance=dataclasses.replace(body.instance, kind=other))
    seen = dataclasses.replace(clip, bodies=(masked,))
    assert (paint(clip).pixels != paint(seen).pixels).any()
    assert (mix(clip)[0] == mix(seen)[0]).all()


def test_bins_are_apart_and_held():
    ranges = [pitch_range(number) for number in range(PITCH_BINS)]
    for low, high in ranges:
        assert np.log2(high / low) == pytest.approx(BIN_OCTAVES)
    for (_, high), (low, _) in pairwise(ranges):
        assert np.log2(low / high) == pytest.approx(GUARD_OCTAVES)
    for index in range(64):
        clip = scene(PRESET, "val", index, 4)
        low, high = ranges[factors(clip)["pitch_bin"]]
        assert low <= clip.sources[0].pitch_hz <= high


GRID_HZ = np.geomspace(80, 6000, 900)


def log_spectrum(sound):
    """Level over the logarithm of frequency, mean 0."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    smooth = np.interp(GRID_HZ, np.fft.rfftfreq(len(sound), 1 / 16_000), np.convolve(power, np.ones(15) / 15, "same"))
    level = np.log10(smooth + smooth.max() * 1e-4)
    return level - level.mean()


def shift_octaves(one, other):
    """By how many octaves a spectrum lies above another."""
    lags = range(-30, 300)
    match = [np.mean(one[max(0, k) : len(one) + min(0, k)] * other[max(0, -k) : len(other) - max(0, k)]) for k in lags]
    return lags[int(np.argmax(match))] * np.log2(GRID_HZ[1] / GRID_HZ[0])


@pytest.mark.parametrize("timbre", TIMBRES)
def test_every_timbre_plays_every_bin(timbre):
    found = []
    for clip in (scene(PRESET, "train", index, 0) for index in range(64)):
        if factors(clip)["timbre"] == timbre:
            source, samples = clip.sources[0], clip.format.samples
            lowest = dataclasses.replace(source, pitch_hz=220.0)
            heard, reference = (log_spectrum(kind(timbre).voice(own, clip.events, samples)) for own in (source, lowest))
            assert abs(shift_octaves(heard, reference) - np.log2(source.pitch_hz / 220)) < GUARD_OCTAVES / 4
            near = np.abs(np.log2(GRID_HZ / source.pitch_hz)) < (BIN_OCTAVES + GUARD_OCTAVES) / 2
            peak = GRID_HZ[near][heard[near].argmax()]
            assert abs(np.log2(peak / source.pitch_hz)) < GUARD_OCTAVES / 2
            found.append(factors(clip)["pitch_bin"])
    assert Counter(found) == dict.fromkeys(range(PITCH_BINS), 4)


def test_the_body_moves_when_it_sounds():
    for index in (0, 20, 40, 60):
        clip = scene(resolve(PRESET, seconds=3.2), "train", index, 0)
        still = paint(dataclasses.replace(clip, events=())).pixels.astype(int)
        moved = (np.abs(paint(clip).pixels.astype(int) - still).max(axis=(1, 2, 3)) > 8).nonzero()[0] / 12.5
        for event in clip.events:
            assert np.abs(moved - event.start_seconds).min() < 0.15


def test_clips_render_at_every_level_and_splits_share_no_individual():
    for level in range(4):
        clip = render(scene(resolve(PRESET, level=level), "test", 7, 1))
        assert clip.truth["factors"]["shape"] == clip.truth["objects"][0]["class"]
        assert clip.truth["objects"][0]["sounding"]
        assert clip.truth["sources"][0]["object"] == 0
        assert clip.truth["objects"][0]["pitch_hz"] == clip.truth["sources"][0]["pitch_hz"]
        assert len({thing["class"] for thing in clip.truth["objects"]}) == len(clip.truth["objects"])
    for split in ("train", "val", "test"):
        for clip in (scene(resolve(PRESET, level=1), split, index, 0) for index in range(32)):
            numbers = {clip.sources[0].instance.number, *(body.instance.number for body in clip.bodies)}
            assert numbers <= set(instances(split, 100))
            assert clip.caption_template in instances(split, 10)
