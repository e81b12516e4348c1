"""Track S: runs of one thing in one place, groups that follow each other and fade; splits for probes are shuffled."""

import dataclasses
from collections import Counter
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seehear.world import render, scene
from seehear.world.drawing.draws import Draws
from seehear.world.presets import resolve
from seehear.world.splits import instances
from seehear.world.tracks.stream import (
    BLOCK_CLIPS,
    FADE,
    GROUP_CLIPS,
    GROUPS,
    SHIFT,
    SHORTEST_RUN,
    TURN,
    Run,
    baselines,
    groups,
    run_at,
    sample,
)

PRESET = resolve("unit", track="S")
LONGEST_RUN = 32


def told(clip):
    return clip.facts["stream"]


@pytest.fixture(scope="module")
def heads():
    """The first clip of every run of the first cycle and half of the second."""
    found, index = [], 0
    while index < 6 * GROUP_CLIPS:
        found.append(scene(PRESET, "train", index, 0))
        index += run_at(0, "train", index).length
    return found


@given(st.integers(0, 2**31), st.integers(0, 10_000))
@settings(max_examples=60)
def test_every_position_of_a_run_finds_the_same_run(seed, index):
    run = run_at(seed, "train", index)
    assert SHORTEST_RUN <= run.length <= LONGEST_RUN
    assert run.first <= index < run.first + run.length
    assert run_at(seed, "train", run.first) == run_at(seed, "train", run.first + run.length - 1) == run
    following = run_at(seed, "train", run.first + run.length)
    assert (following.number, following.first) == (run.number + 1, run.first + run.length)


def test_lengths_of_runs_vary_and_blocks_are_whole():
    lengths = [run.length for seed in range(30) for run in {run_at(seed, "train", k) for k in range(480)}]
    assert np.mean(lengths) == 16
    assert np.std(lengths) > 4
    assert {min(lengths), max(lengths)} <= set(range(SHORTEST_RUN, LONGEST_RUN + 1))
    assert all(run_at(seed, "train", BLOCK_CLIPS * 3).first == BLOCK_CLIPS * 3 for seed in range(30))


def test_neighbours_in_a_run_share_thing_room_and_camera_and_drift_slowly(heads):
    run = run_at(0, "train", heads[3].index)
    clips = [scene(PRESET, "train", run.first + k, 0) for k in range(run.length)]
    assert [told(clip)["place_in_run"] for clip in clips] == list(range(run.length))
    assert {told(clip)["run"] for clip in clips} == {run.number}
    for clip in clips:
        one, other = clip.bodies[0], clips[0].bodies[0]
        assert dataclasses.replace(one, x=other.x, y=other.y, angle=other.angle) == other
        assert (clip.labels, clip.background, clip.noise.instance) == (
            clips[0].labels, clips[0].background, clips[0].noise.instance,
        )  # fmt: skip
        assert clip.grade.mean_rgb == clips[0].grade.mean_rgb
    for name, most in (("x", SHIFT), ("y", SHIFT), ("angle", TURN)):
        path = np.array([getattr(clip.bodies[0], name) for clip in clips])
        steps = np.diff(path)
        assert 0 < np.abs(steps).max() < 1.1 * most / run.length
        assert (steps >= 0).all() or (steps <= 0).all()
    assert len({clip.grade.light for clip in clips}) == run.length
    assert len({clip.events for clip in clips}) == len({clip.noise.seed for clip in clips}) == run.length


def test_runs_differ_from_each_other(heads):
    seen = [(clip.bodies[0].instance.kind, clip.bodies[0].instance.number) for clip in heads]
    assert len(set(seen)) > 0.8 * len(seen)
    assert len({clip.background.instance for clip in heads}) > 0.4 * len(heads)
    assert all({body.instance.number for body in clip.bodies} <= set(instances("train", 100)) for clip in heads)


def test_pictures_of_a_run_are_alike_and_those_of_two_runs_are_not():
    run = run_at(0, "train", 100)
    near, far = run.first + run.length - 1, run.first + run.length
    one, other, third = (render(scene(PRESET, "train", k, 0)).pixels.mean(axis=0) for k in (near - 1, near, far))
    assert np.abs(one - other).mean() < 0.4 * np.abs(other - third).mean()


def test_groups_part_the_classes_by_lot():
    for name in ("unit", "base"):
        classes = resolve(name, track="S").classes
        found = [groups(seed, classes) for seed in range(12)]
        for parts in found:
            assert sorted(name for part in parts for name in part) == sorted(classes)
            assert {len(part) for part in parts} == {len(classes) // GROUPS}
        assert len({tuple(map(tuple, parts)) for parts in found}) == 12


def test_groups_follow_each_other_and_the_cycle_comes_again(heads):
    members = groups(0, PRESET.classes)
    for clip in heads:
        facts = told(clip)
        assert clip.labels[0] in members[facts["group"]]
        number, since = divmod(run_at(0, "train", clip.index).first, GROUP_CLIPS)
        assert facts["cross_fade"] == (number > 0 and since < FADE * GROUP_CLIPS)
        allowed = {number % GROUPS, (number - 1) % GROUPS} if facts["cross_fade"] else {number % GROUPS}
        assert facts["group"] in allowed
    assert {told(clip)["group"] for clip in heads if clip.index < GROUP_CLIPS} == {0}
    assert told(heads[-1])["group"] == 1


def test_a_fifth_of_every_later_group_is_a_cross_fade_in_which_the_group_before_fades():
    share = [told(scene(PRESET, "train", GROUP_CLIPS + k, 0))["cross_fade"] for k in range(0, GROUP_CLIPS, 8)]
    assert np.mean(share) == FADE
    thirds = np.zeros((3, 2))
    for seed in range(40):
        for block in range(2):
            for place in (0, 20, 40):
                index = GROUP_CLIPS + block * BLOCK_CLIPS + place
                third = int((run_at(seed, "train", index).first - GROUP_CLIPS) / (FADE * GROUP_CLIPS) * 3)
                thirds[third] += (told(scene(PRESET, "train", index, seed))["group"] == 0, 1)
    old = thirds[:, 0] / thirds[:, 1]
    assert old[0] > old[1] + 0.15 > old[2] + 0.3
    assert old[0] > 0.65
    assert old[2] < 0.35


def test_classes_of_a_group_take_turns(heads):
    for number, clips in groupby(heads, lambda clip: clip.index // GROUP_CLIPS):
        counts = Counter(clip.labels[0] for clip in clips if not told(clip)["cross_fade"])
        most, least = max(counts.values()), min(counts.values())
        assert len(counts) == 2, number
        assert most - least <= 2, number


@pytest.mark.parametrize("split", ["val", "test", "test_iid", "test_ood"])
def test_other_splits_are_independent_and_balanced(split):
    clips = [scene(PRESET, split, index, 0) for index in range(40)]
    assert Counter(clip.labels[0] for clip in clips) == dict.fromkeys(PRESET.classes, 5)
    members = groups(0, PRESET.classes)
    for index, clip in enumerate(clips):
        group = next(k for k, own in enumerate(members) if clip.labels[0] in own)
        expected = {"position": index, "group": group, "run": index, "place_in_run": 0, "cross_fade": False}
        assert told(clip) == expected
        assert {body.instance.number for body in clip.bodies} <= set(instances(split, 100))
    assert len({clip.background.seed for clip in clips}) > 10
    assert run_at(0, split, 17) == Run(17, 17, 1)


def test_a_clip_depends_on_nothing_but_seed_split_and_index():
    more = resolve(PRESET, clips={"train": 5_000})
    for index in (0, 47, 500, 2_000):
        assert scene(more, "train", index, 3) == scene(PRESET, "train", index, 3)
        assert sample(Draws(PRESET, "train", index, 3)) == scene(PRESET, "train", index, 3)
        assert scene(PRESET, "train", index, 4) != scene(PRESET, "train", index, 3)


def test_clips_render_at_every_level_with_bodies_inside_the_picture():
    for level in range(4):
        clip = render(scene(resolve(PRESET, level=level), "train", 600, 0))
        assert clip.truth["stream"]["position"] == 600
        assert clip.truth["objects"][0]["class"] == clip.labels[0]
        assert clip.truth["objects"][0]["sounding"]
    for index in range(0, 960, 7):
        for body in scene(resolve(PRESET, level=2), "train", index, 0).bodies:
            edge = 0.46 * body.size - 1e-6
            assert edge <= body.x <= 1 - edge
            assert edge <= body.y <= 1 - edge


def record(split, label, thumbnail):
    signature = bytes(np.concatenate([thumbnail, np.zeros(16)]).astype(np.uint8)).hex()
    return {"split": split, "labels": [label], "nuisance": {"signature": signature}}


def test_nearest_thumbnails_are_counted():
    rng = np.random.default_rng(0)
    shown = {name: rng.uniform(40, 200, 64) for name in ("a", "b", "c", "d")}
    near = [record("train", name, own + rng.normal(0, 5, 64)) for name, own in shown.items() for _ in range(25)]
    tested = [record("test", name, 0.7 * own + 30) for name, own in shown.items()]
    tested += [record("test", "a", shown["b"]), record("test", "b", shown["b"])]
    found = baselines(near + tested)
    assert found == {"class, test": {"chance": 0.25, "20 nearest thumbnails": 0.8333}}
    assert baselines(tested) == {"class, test": {"chance": 0.25}}
    assert baselines(near) == {}
