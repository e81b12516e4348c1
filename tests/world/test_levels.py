"""Levels 2 and 3: casts, twins and mimes as the knobs say; levels 0 and 1 as they were."""

import dataclasses
import json

import numpy as np
import pytest

from seehear.errors import UsageError
from seehear.world import memory_clips, render, scene
from seehear.world.classes import NAMES
from seehear.world.drawing.mimes import STRIKERS
from seehear.world.levels import LEVELS
from seehear.world.painting.motion import MISS, lift, swing
from seehear.world.presets import resolve
from seehear.world.scenes import Event

COUNT = 150


def scenes(name, level, **options):
    return [scene(resolve(name, level=level, **options), "train", index, 1) for index in range(COUNT)]


@pytest.mark.parametrize("level", [2, 3])
def test_casts_follow_the_knobs(level):
    knobs, clips = LEVELS[level], scenes("multi", level)
    seen = [len(clip.bodies) for clip in clips]
    playing = [sum(source.body is not None for source in clip.sources) for clip in clips]
    assert (min(seen), max(seen)) == knobs.bodies
    assert (min(playing), max(playing)) == knobs.sources
    off_screen = np.mean([any(source.body is None for source in clip.sources) for clip in clips])
    assert abs(off_screen - knobs.off_screen_share) < 0.12
    snr = [clip.noise.snr_db for clip in clips]
    low, high = knobs.snr_db
    assert low <= min(snr) < low + 1 < high - 1 < max(snr) <= high
    assert all(len(clip.shots) == knobs.shots for clip in clips)
    assert all((clip.board is not None) == (level == 3) for clip in clips)


@pytest.mark.parametrize("level", [2, 3])
def test_single_label_clips_sound_once_among_at_least_two_bodies(level):
    clips = scenes("base", level)
    assert {sum(not source.near for source in clip.sources) for clip in clips} == {1}
    assert min(len(clip.bodies) for clip in clips) == LEVELS[level].bodies[0]
    assert {clip.labels[0] for clip in clips} == set(NAMES)


@pytest.mark.parametrize("level", [2, 3])
def test_a_twin_is_another_silent_individual_of_a_sounding_class(level):
    found = 0
    for clip in scenes("base", level):
        who = [(body.instance.kind, body.instance.number) for body in clip.bodies]
        assert len(set(who)) == len(who)
        kinds = [kind for kind, _ in who]
        twins = [k for k, kind in enumerate(kinds) if kinds.index(kind) < k]
        assert len(twins) <= 1
        if twins:
            found += 1
            assert kinds[twins[0]] in clip.labels
            assert twins[0] not in {source.body for source in clip.sources}
    assert 0.2 < found / COUNT < 0.6


def test_no_lower_level_has_what_higher_ones_have():
    for level in (0, 1):
        for clip in scenes("multi", level)[:40]:
            assert len({body.instance.kind for body in clip.bodies}) == len(clip.bodies)
            assert not {"shots", "board", "mimes"} & set(clip.to_dict())
    facts = next(memory_clips("unit", "train")).truth
    assert not {"shots", "board", "mimes"} & set(facts)


def test_individuals_differ_more_but_stay_within_what_can_be_drawn():
    spreads = []
    for level in (0, 1, 2, 3):
        codes = np.array([body.instance.code for clip in scenes("tiny", level)[:80] for body in clip.bodies])
        assert 0 <= codes.min() <= codes.max() <= 1
        spreads.append(codes.std())
    assert spreads == sorted(spreads)
    assert spreads[3] > 1.3 * spreads[1]


def test_mimes_move_and_are_not_heard():
    preset = resolve("base", level=3, size=64, seconds=1.6)
    clips = [clip for clip in (scene(preset, "train", k, 0) for k in range(60)) if clip.mimes]
    assert len(clips) > 3
    moved = 0
    for clip in clips[:4]:
        mime = clip.mimes[0]
        assert clip.bodies[mime.body].instance.kind in STRIKERS
        assert mime.body not in {source.body for source in clip.sources}
        plain = dataclasses.replace(clip, shots=(), board=None, grade=dataclasses.replace(clip.grade, shake=0.0))
        shown, still = render(plain), render(dataclasses.replace(plain, mimes=()))
        assert (shown.waveform == still.waveform).all()
        moved += bool((shown.pixels != still.pixels).any())
        facts = render(clip).truth
        assert facts["mimes"][0]["object"] == mime.body
        assert not facts["objects"][mime.body]["sounding"]
    assert moved >= 3  # another body may stand before it


def test_a_striker_that_misses_stops_short_and_sets_nothing_swinging():
    hit = Event(0, "impact", 0.5, 0.6, 1.0, 1)
    miss = dataclasses.replace(hit, kind="miss")
    times = np.linspace(0, 1.5, 151)
    assert lift(times, (hit,)).min() == 0
    assert lift(times, (miss,)).min() == pytest.approx(MISS)
    assert lift(times, (miss,)).max() == 1
    assert np.abs(swing(times, (hit,), 1.3, 0.7)).max() > 0.5
    assert not swing(times, (miss,), 1.3, 0.7).any()


@pytest.mark.parametrize("level", [2, 3])
def test_scenes_of_higher_levels_render_and_are_plain_json(level):
    preset = resolve("multi", level=level, size=64, seconds=1.6)
    for clip in memory_clips(preset, "val", count=3):
        assert json.loads(json.dumps(clip.truth))["knobs"]["camera_moves"] == level - 1
        assert len(clip.truth["shots"]) == LEVELS[level].shots
        np.testing.assert_allclose(sum(clip.stems.values()), clip.waveform, atol=1e-6)
        assert np.abs(clip.waveform).max() < 1
        again = render(clip.scene)
        assert (again.pixels == clip.pixels).all()


def test_out_of_distribution_clips_are_one_level_up():
    clip = scene("base", "test_ood", 3, 0)
    assert (clip.level, clip.id[:12]) == (2, "test_ood-A2-")
    assert len(clip.bodies) >= 2
    assert scene("base", "test", 3, 0).level == 1
    assert resolve("base").clips["test_ood"] == 400
    assert "test_ood" not in resolve("base", level=3).clips
    with pytest.raises(UsageError, match="unknown level 4; expected one of 0, 1, 2, 3"):
        resolve("base", level=3, clips={"test_ood": 20})
