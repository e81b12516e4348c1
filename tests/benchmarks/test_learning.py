"""Time to a target: the first evaluation that reaches it, with arms that begin alike."""

import numpy as np
import pytest

from benchmarks import learning
from benchmarks.rivals.coupling import prepared
from seehear import clips, recipes

PLAN = learning.Plan(clips=80, galleries=1, steps=2, every=1, target=1.0)


def curve(*recalls, seconds=1.0):
    points = [
        {"step": 50 * i, "seconds": seconds * i, "cpu_seconds": 2 * seconds * i, "recall": r}
        for i, r in enumerate(recalls, 1)
    ]
    return {"curve": points, "median_step_seconds": 0.1}


@pytest.fixture
def folder(tmp_path):
    draw = np.random.default_rng(0)
    for split, count in (("train", 80), ("test", 200)):
        pictures = draw.integers(0, 256, (count, 8, 96, 96, 3), dtype=np.uint8)
        sounds = draw.integers(-9000, 9000, (count, 51_200), dtype=np.int16)
        np.savez(tmp_path / f"{split}-{count}.npz", pictures=pictures, sounds=sounds)
    return tmp_path


def test_ratios_are_of_the_first_evaluations_at_the_target():
    found = {
        ("R0", 0): curve(0.01, 0.05, 0.1, 0.2, seconds=3.0),
        ("ours", 0): curve(0.01, 0.11, seconds=1.0),
        ("ours, half decoded", 0): curve(0.02, 0.04, seconds=1.0),
    }
    cells = learning.cells(found, [0], 0.1)
    assert cells["R0, seed 0"]["seconds"] == 9.0
    assert cells["R0 / ours, seed 0"] == {"of_seconds": 4.5, "of_cpu_seconds": 4.5, "of_steps": 1.5}
    assert cells["R0 / ours"]["ratio"] == 4.5
    assert "seconds" not in cells["ours, half decoded, seed 0"]  # it never got there
    assert cells["ours, half decoded, seed 0"]["best_recall_at_1"] == 0.04
    assert "R0 / ours, half decoded" not in cells


def test_the_median_over_seeds_is_the_ratio():
    found = {(name, seed): curve(0.2) for name in learning.NAMES for seed in (0, 1, 2)}
    for seed, seconds in enumerate((2.0, 3.0, 7.0)):
        found["R0", seed] = curve(0.2, seconds=seconds)
    summary = learning.cells(found, [0, 1, 2], 0.1)["R0 / ours"]
    assert summary == {"ratio": 3.0, "seeds": 3, "lowest": 2.0}


def test_all_arms_begin_with_the_same_embeddings(folder, monkeypatch):
    monkeypatch.setattr(learning, "economise", lambda *_: None)  # it would change this process for good
    config = recipes.get("avsiam_tiny")
    needs = learning.Prepared(config.method).needs
    batch = next(iter(clips.in_order(learning.held(folder, "test", 200), needs, 20)))
    ready = prepared(batch, config.method, None)
    pairs = [learning.MAKERS[name](config, 0, PLAN)[1](ready) for name in learning.NAMES]
    for audio, image in pairs[1:]:
        np.testing.assert_allclose(audio, pairs[0][0], atol=1e-5)
        np.testing.assert_allclose(image, pairs[0][1], atol=1e-5)


@pytest.mark.parametrize("name", learning.NAMES)
def test_every_arm_trains_and_is_evaluated(name, folder, monkeypatch):
    monkeypatch.setattr(learning, "economise", lambda *_: None)
    result = learning.learn(name, 0, PLAN, folder)
    assert [point["step"] for point in result["curve"]] == [1, 2]
    assert 0 < result["curve"][0]["seconds"] < result["curve"][1]["seconds"]
    assert all(0 <= point["recall"] <= 1 for point in result["curve"])


def test_a_finished_arm_is_not_run_again(folder, monkeypatch):
    monkeypatch.setattr(learning.arms, "take_turns", lambda *_, **__: {"ours": _Once.taken()})
    first = learning._finished("ours", 0, PLAN, folder)
    again = learning._finished("ours", 0, PLAN, folder)
    assert first == again
    assert _Once.calls == 1


class _Once:
    calls = 0

    @classmethod
    def taken(cls):
        cls.calls += 1
        done = {"curve": [{"step": 2, "seconds": 1.0, "cpu_seconds": 1.0, "recall": 0.5}], "median_step_seconds": 0.1}
        return type("Taken", (), {"values": (done,)})
