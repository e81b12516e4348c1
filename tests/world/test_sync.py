"""Track Y: the drawn offset is in the sound exactly, can be seen against the picture, and shows in neither alone."""

import dataclasses
from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seehear.errors import UsageError
from seehear.world import render, scene
from seehear.world.drawing import rhythm
from seehear.world.painting.picture import paint
from seehear.world.presets import resolve
from seehear.world.sounds.mixing import mix
from seehear.world.streams import stream
from seehear.world.tracks.sync import (
    OFFSETS,
    STEP_SECONDS,
    TAIL_SECONDS,
    aligned,
    baselines,
    matches,
    onsets,
)

PRESET = resolve("unit", track="Y")
SHORT = resolve(PRESET, seconds=1.6)
CLASSES = len(PRESET.classes)


def in_step(clip):
    return dataclasses.replace(clip, sound_offset_seconds=0.0)


def record(clip):
    events = [{"t_on": event.start_seconds} for event in clip.events]
    facts = clip.facts | {"events": events, "track": "Y"}
    return {"duration_seconds": clip.format.seconds, "labels": list(clip.labels), "truth": facts}


def test_format_has_whole_frames_and_samples_per_step():
    form = PRESET.format
    assert (form.frames, form.samples, form.samples / form.frames) == (120, 76_800, 640)
    assert STEP_SECONDS * form.sample_rate == 1_280
    assert form.frames_per_second == (25, 1)


def test_offsets_are_balanced_and_independent_of_the_label():
    clips = [scene(PRESET, "train", index, 0) for index in range(CLASSES * OFFSETS)]
    pairs = Counter((clip.labels[0], clip.facts["sync_offset"]) for clip in clips)
    assert pairs == dict.fromkeys(product(PRESET.classes, range(-3, 4)), 1)
    for count in (1, 10, 14, 33, 98):
        counts = Counter(clip.facts["sync_offset"] for clip in clips[:count])
        assert max(counts.values()) - min(counts[k] for k in range(-3, 4)) <= 1
    for clip in clips:
        assert clip.facts["sync_offset_seconds"] == clip.sound_offset_seconds
        assert clip.sound_offset_seconds == pytest.approx(clip.facts["sync_offset"] * STEP_SECONDS)


@pytest.mark.parametrize("index", range(7))
def test_the_sound_is_shifted_by_the_offset_and_nothing_else(index):
    clip = scene(PRESET, "train", index, 0)
    late = clip.facts["sync_offset"] * 1_280
    given_sound, reference = mix(clip)[1], mix(in_step(clip))[1]
    for name, stem in given_sound.items():
        other = reference[name]
        size = 2 * len(stem)
        match = np.fft.irfft(np.fft.rfft(stem, size) * np.conj(np.fft.rfft(other, size)))
        lag = int(np.argmax(match))
        assert lag - size * (lag > size // 2) == late, name
        frames, samples = aligned(clip.facts["sync_offset"], clip.format)
        back = slice(samples.start - late, samples.stop - late)
        assert np.corrcoef(stem[samples], other[back])[0, 1] > 1 - 1e-6
        assert frames.start * 640 == back.start
        assert frames.stop * 640 == back.stop


def test_stems_still_sum_to_the_mixture_and_nothing_is_silent_at_the_edges():
    for index in range(CLASSES):
        waveform, stems = mix(scene(PRESET, "train", index, 0))
        np.testing.assert_allclose(sum(stems.values()), waveform, atol=1e-6)
        assert len(waveform) == PRESET.format.samples
        edges = np.concatenate([waveform[:480], waveform[-480:]])
        assert (edges != 0).mean() > 0.99
        assert np.abs(stems["background"][:160]).max() > 0 < np.abs(stems["background"][-160:]).max()


def test_what_began_before_the_first_picture_rings_on_and_what_comes_after_the_last_is_there():
    clips = [scene(PRESET, "train", index, 0) for index in range(100)]
    quiet = [clip for clip in clips if not any(-0.25 < event.start_seconds < 0.3 for event in clip.events)]
    ringing = [clip for clip in quiet if clip.labels[0] in ("bell", "lute", "harp", "glass cup")][:4]
    assert len(ringing) == 4
    for clip in ringing:
        cut = dataclasses.replace(clip, events=tuple(event for event in clip.events if event.start_seconds > 0))
        given_sound, silenced = (mix(own)[1]["source 0"] for own in (clip, cut))
        assert np.abs(silenced[:320]).max() < 1e-6 * np.abs(silenced).max()
        assert np.abs(given_sound[:320]).max() > 1e-3 * np.abs(given_sound).max()
    assert np.mean([clip.events[0].start_seconds < -1 for clip in clips]) > 0.9
    later = [clip.events[-1].start_seconds - PRESET.format.seconds for clip in clips]
    assert 0.1 < max(later) < TAIL_SECONDS
    assert np.mean(np.array(later) > 0) > 0.3


def test_a_shift_beyond_what_the_scene_has_is_refused():
    clip = scene(PRESET, "train", 0, 0)
    for late in (-0.5, 2.5):
        with pytest.raises(UsageError, match=rf"its sound {late} s late; expected -0\.3 to 2\.0 s"):
            mix(dataclasses.replace(clip, sound_offset_seconds=late))
    with pytest.raises(UsageError, match=r"expected 0\.0 to 0\.0 s"):
        mix(dataclasses.replace(scene("unit", "train", 0, 0), sound_offset_seconds=0.08))


@pytest.mark.parametrize("kind", ["impacts", "strokes"])
def test_a_steady_source_favours_no_moment(kind):
    drawn = [rhythm.steady(stream(7, "steady", kind, k), kind, 0, -2.0, 5.0) for k in range(600)]
    starts = np.concatenate([[event.start_seconds for event in events] for events in drawn])
    counts = np.histogram(starts, 14, (-2.0, 5.0))[0]
    assert np.abs(counts - counts.mean()).max() < 4 * counts.mean() ** 0.5
    for events in drawn[:100]:
        times = np.array([event.start_seconds for event in events])
        assert np.diff(times).min() >= 0.25 - 2e-6
        assert np.diff(times).std() / np.diff(times).mean() > 0.1
        assert [event.side for event in events[1:]] == [1 - event.side for event in events[:-1]]
        if kind == "strokes":
            assert all(a.stop_seconds == b.start_seconds for a, b in pairwise(events))


@pytest.mark.parametrize("name", ["lute", "drum", "dog"])
def test_pictures_and_sound_show_the_offset_between_them(name):
    """Motion in the picture and rises of the sound, 25 times a second, match best at the offset, but for a constant."""
    found = []
    for turn in range(0, OFFSETS, 2):
        clip = scene(PRESET, "train", PRESET.classes.index(name) + CLASSES * turn, 0)
        grey = paint(clip).pixels.astype(np.float32).mean(axis=-1)
        motion = np.abs(np.diff(grey, axis=0, prepend=grey[:1])).mean(axis=(1, 2))
        level = np.log((mix(clip)[0].reshape(-1, 320) ** 2).mean(axis=1) + 1e-8)
        rise = np.maximum(np.diff(level, prepend=level[:1]), 0).reshape(-1, 2).sum(axis=1)
        motion, rise = (value - value.mean() for value in (motion, rise))
        lags = range(-10, 11)
        match = [motion[max(0, -k) : 120 - max(0, k)] @ rise[max(0, k) : 120 - max(0, -k)] for k in lags]
        found.append(lags[int(np.argmax(match))] - 2 * clip.facts["sync_offset"])
    assert max(found) - min(found) <= 1
    assert abs(found[0]) <= 2


def test_the_sound_alone_does_not_tell_the_offset():
    """A linear reader of 40 loudness blocks guesses no better than chance."""
    clips = [scene(SHORT, "train", index, 0) for index in range(147)]
    level = np.array([10 * np.log10((mix(clip)[0].reshape(40, -1) ** 2).mean(axis=1)) for clip in clips])
    level = (level - level.mean(axis=0)) / level.std(axis=0)
    level = np.column_stack([level, np.ones(len(level))])
    offset = np.array([clip.facts["sync_offset"] + 3 for clip in clips])
    hits = 0
    for fold in range(4):
        held = np.arange(len(clips)) // 7 % 4 == fold  # whole rounds of offsets
        known, wanted = level[~held], np.eye(OFFSETS)[offset[~held]]
        weights = np.linalg.solve(known.T @ known + 30 * np.eye(known.shape[1]), known.T @ wanted)
        hits += int(((level[held] @ weights).argmax(axis=1) == offset[held]).sum())
    chance = 1 / OFFSETS
    assert hits / len(clips) < chance + 3 * (chance * (1 - chance) / len(clips)) ** 0.5


def test_pictures_do_not_depend_on_the_offset():
    clip = scene(SHORT, "train", 2, 0)
    assert clip.sound_offset_seconds
    assert (paint(clip).pixels == paint(in_step(clip)).pixels).all()


@given(
    st.lists(st.integers(0, 40), max_size=6, unique=True).map(sorted),
    st.lists(st.integers(0, 40), max_size=6, unique=True).map(sorted),
)
@settings(max_examples=60)
def test_matches_are_as_many_as_can_be_paired(one, other):
    def best(left, right):
        if not left:
            return 0
        pairs = [1 + best(left[1:], right[:k] + right[k + 1 :]) for k, t in enumerate(right) if abs(t - left[0]) <= 3]
        return max([best(left[1:], right), *pairs])

    assert matches([float(t) for t in one], [float(t) for t in other], 3.0) == best(one, other)


def test_baselines_are_what_the_plan_says():
    records = [record(scene(PRESET, "train", index, 0)) for index in range(CLASSES * OFFSETS)]
    found = baselines(records)
    assert found["offset"]["chance"] == 0.1429
    assert found["offset"]["always in step"] == 0.1429
    assert found["offset"]["always in step, within one step"] == 0.4286
    guesses = found["onsets"]
    assert guesses["no motion"] == 0
    assert 0.15 < guesses["another clip's sound"] < 0.4
    assert 0.15 < guesses["an even beat"] < 0.4
    assert guesses["the sound as given"] > guesses["another clip's sound"] + 0.1
    stepped = [own | {"truth": own["truth"] | {"sync_offset_seconds": 0.0}} for own in records]
    assert baselines(stepped)["onsets"]["the sound as given"] == 1
    for seen, heard in map(onsets, records):
        assert len(seen) > 2
        assert all(0 <= time < 4.8 for time in (*seen, *heard))


def test_truth_holds_the_offset_at_every_level_and_the_player_is_seen():
    for level in range(4):
        clip = render(scene(resolve(SHORT, level=level), "test", 5 + level, 0))
        assert clip.truth["sync_offset"] in range(-3, 4)
        assert clip.truth["sources"][0]["object"] == 0
        assert clip.truth["objects"][0]["visible"]
        assert clip.truth["objects"][0]["class"] == clip.labels[0]
        assert len(clip.pixels) == 40
