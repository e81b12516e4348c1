"""Scenes are pure functions of their names, balanced, and disjoint between splits."""

import dataclasses
import json
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seehear.errors import UsageError
from seehear.world import PRESETS, VERSION, scene
from seehear.world.classes import CORE, NAMES, kind
from seehear.world.drawing.draws import pitch_at
from seehear.world.drawing.placing import arrange, covered
from seehear.world.drawing.rhythm import SHORTEST_GAP_SECONDS, schedule
from seehear.world.levels import LEVELS
from seehear.world.presets import resolve
from seehear.world.splits import instances
from seehear.world.streams import stream

any_clip = {
    "preset": st.sampled_from(sorted(PRESETS)),
    "split": st.sampled_from(["train", "val", "test", "test_iid", "test_ood"]),
    "index": st.integers(0, 10**6),
    "seed": st.integers(0, 2**40),
}


@given(**any_clip)
def test_a_scene_is_a_pure_function_and_plain_json(preset, split, index, seed):
    first, second = scene(preset, split, index, seed), scene(preset, split, index, seed)
    assert first == second
    assert json.loads(json.dumps(first.to_dict())) == json.loads(json.dumps(second.to_dict()))
    assert first.hash(VERSION) != first.hash(VERSION + 1)


@given(**any_clip)
def test_a_scene_holds_together(preset, split, index, seed):
    clip = scene(preset, split, index, seed)
    assert clip.sources
    assert set(clip.labels) == {source.instance.kind for source in clip.sources if not source.near}
    assert len(clip.bodies) <= LEVELS[clip.level].bodies[1]
    for body in clip.bodies:
        assert 0.46 * body.size <= min(body.x, body.y) + 1e-5
        assert max(body.x, body.y) <= 1 - 0.46 * body.size + 1e-5
        assert body.instance.number in instances(split, 100)
    for source in clip.sources:
        assert source.body is None or clip.bodies[source.body].instance == source.instance
    for event in clip.events:
        assert 0.1 <= event.start_seconds < event.stop_seconds <= clip.format.seconds
    assert -30 <= clip.grade.loudness_db <= -18


def test_another_index_seed_or_split_is_another_scene():
    hashes = {scene("tiny", s, i, r).hash(1) for s in ("train", "val", "test_iid") for i in range(20) for r in (0, 1)}
    assert len(hashes) == 120


def test_splits_share_no_seed_and_no_instance():
    preset = resolve("tiny")
    used = {}
    for split, count in preset.clips.items():
        clips = [scene(preset, split, index, 0) for index in range(min(count, 250))]
        used[split] = (
            {(b.instance.kind, b.instance.number) for c in clips for b in c.bodies}
            | {("instance seed", b.instance.seed) for c in clips for b in c.bodies}
            | {("texture", b.texture_seed) for c in clips for b in c.bodies}
            | {("source", s.seed) for c in clips for s in c.sources}
            | {("background", c.background.instance) for c in clips}
            | {("noise", c.noise.instance) for c in clips}
            | {("template", c.caption_template) for c in clips}
        )
    for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
        assert not used[one] & used[other]
    assert min(len(v) for v in used.values()) > 250


def test_the_pools_are_divided_completely():
    parts = [instances(split, 100) for split in ("train", "val", "test")]
    assert [n for part in parts for n in part] == list(range(100))
    assert instances("test_iid", 200) == instances("train", 200)


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_single_label_splits_are_exactly_balanced(split):
    preset = PRESETS["tiny"]
    count = preset.clips[split]
    assert count % len(CORE) == 0
    counts = Counter(scene(preset, split, index, 0).labels for index in range(count - 80, count))
    assert counts == {(name,): 10 for name in CORE}


def test_multi_label_clips_hold_one_to_three_classes():
    clips = [scene("multi", "train", index, 0) for index in range(200)]
    sizes = Counter(len(clip.labels) for clip in clips)
    assert set(sizes) == {1, 2, 3}
    off_screen = np.mean([any(s.body is None for s in clip.sources) for clip in clips])
    assert 0.03 < off_screen < 0.2
    assert any(len(clip.bodies) > len(clip.sources) for clip in clips)


def test_large_bodies_sound_low_whatever_the_class():
    for name in NAMES:
        pitches = [pitch_at(name, size) for size in (0.25, 0.5, 0.8)]
        assert pitches == sorted(pitches, reverse=True)
        assert pitches[0] > 3 * pitches[-1]
    clips = [scene("tiny", "train", 8 * k, 0) for k in range(60)]
    sizes = np.log([c.bodies[0].size for c in clips])
    assert np.corrcoef(sizes, np.log([c.sources[0].pitch_hz for c in clips]))[0, 1] < -0.97


def test_pitch_ranges_of_classes_overlap():
    ranges = sorted(kind(name).pitch_range_hz for name in NAMES)
    assert sum(one[1] > other[0] for one, other in pairwise(ranges)) >= 5


@given(seed=st.integers(0, 2**32), count=st.integers(2, 3))
def test_bodies_stand_inside_and_apart(seed, count):
    rng = stream(seed)
    sizes = rng.uniform(0.42, 0.8, count) * (0.72 if count == 2 else 0.6)
    places = np.array(arrange(rng, list(sizes), 0.2))
    assert (np.abs(places - 0.5) <= 0.5 - 0.46 * sizes[:, None] + 1e-6).all()
    assert covered(places, sizes) < 0.6


def test_covering_is_measured_on_squares():
    places, sizes = np.array([[0.3, 0.5], [0.3 + 0.17, 0.5]]), np.array([0.4, 0.4])
    assert covered(places, sizes) == pytest.approx(0.5)


@given(
    seed=st.integers(0, 2**32),
    rhythm=st.sampled_from(["impacts", "strokes", "continuous"]),
    seconds=st.sampled_from([1.6, 3.2, 4.8]),
)
def test_events_come_in_order_with_gaps_off_the_frame_grid(seed, rhythm, seconds):
    events = schedule(stream(seed), rhythm, 0, seconds)
    starts = np.array([event.start_seconds for event in events])
    assert 0.1 <= starts[0] <= 1.2
    assert (np.diff(starts) >= SHORTEST_GAP_SECONDS - 1e-5).all()
    assert rhythm != "continuous" or (len(events) == 1 and events[0].stop_seconds == seconds)
    assert all(one.side != other.side for one, other in pairwise(events))


def test_a_factor_draws_from_a_stream_of_its_own():
    """Other knobs of noise and camera leave what is seen and heard of the bodies as it was."""
    plain = resolve("tiny")
    harder = dataclasses.replace(plain, level=1)
    for index in range(20):
        one, other = scene(plain, "train", index, 3), scene(harder, "train", index, 3)
        assert one.background == other.background
        assert one.grade.loudness_db == other.grade.loudness_db
        assert one.noise.instance == other.noise.instance


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scene("tinny", "train", 0), "try: .*tiny"),
        (lambda: scene("tiny", "trian", 0), "try: .*train"),
        (lambda: scene("tiny", "train", -1), "0 or more"),
        (lambda: resolve("tiny", level=7), "unknown level 7; expected one of 0, 1"),
        (lambda: resolve("tiny", size=100), "one of 32, 48, 64, 96, 128, 224"),
        (lambda: resolve("tiny", seconds=2.0), "one of 1.6, 3.2, 4.8"),
        (lambda: resolve("tiny", clips=5), "at least 24"),
        (lambda: resolve("tiny", clips={"tset": 5}), "try: .*test"),
        (lambda: resolve("tiny", clips={"test": 0}), "at least 1"),
        (lambda: kind("bel"), "try: .*bell"),
    ],
)
def test_bad_names_are_refused_with_the_nearest_valid_one(call, message):
    with pytest.raises(UsageError, match=message):
        call()


def test_a_total_keeps_the_proportions_and_the_balance():
    clips = resolve("tiny", clips=1_000).clips
    assert abs(sum(clips.values()) - 1_000) <= 16
    assert all(count % 8 == 0 for count in clips.values())
    assert clips["train"] > clips["test"] > clips["val"]


def test_the_memory_mode_needs_numpy_and_scipy_only():
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('av', 'PIL', 'torch', 'sklearn', 'lance', 'pyarrow'):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "from seehear.world import memory_clips, fingerprint\n"
        "print(next(memory_clips('unit', 'train')).pixels.shape)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(20, 64, 64, 3)"
