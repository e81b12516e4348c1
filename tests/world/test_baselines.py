"""Baselines of track A are what their definitions say, and every build keeps those of its track."""

import importlib

import numpy as np
import pytest

from seehear.metrics.average_precision import mean_average_precision
from seehear.world import scene
from seehear.world.disk.baselines import baselines
from seehear.world.presets import resolve
from seehear.world.tracks import TRACKS, core


def record(labels, split="test", **facts):
    return {"split": split, "labels": labels, "truth": facts}


def test_single_labels():
    clips = [record(["bell"])] * 3 + [record(["drum"])]
    found = core.baselines(clips)
    assert found["classification"] == {"chance": 0.5, "majority": 0.75}
    assert found["tagging"] == {"map": 0.5, "auc": 0.5, "d_prime": 0.0, "prevalence": {"bell": 0.75, "drum": 0.25}}
    assert found["retrieval"] == {"r@1": 0.25, "r@5": 1.0, "r@10": 1.0, "gallery": 4, "class_p@1": 0.625}


def test_a_parent_is_no_second_class():
    clips = [record(["bell", "metal"], label_single="bell"), record(["drum", "skin"], label_single="drum")]
    found = core.baselines(clips)
    assert found["classification"] == {"chance": 0.5, "majority": 0.5}
    assert set(found["tagging"]["prevalence"]) == {"bell", "metal", "drum", "skin"}


def test_several_labels_have_no_class_of_their_own():
    found = core.baselines([record(["bell", "drum"]), record(["drum"])])
    assert "classification" not in found
    assert "class_p@1" not in found["retrieval"]
    assert found["tagging"]["map"] == 0.75


def test_prevalence_is_the_map_of_scores_that_know_nothing_else():
    rng = np.random.default_rng(0)
    labels = [[name for name, share in (("a", 0.5), ("b", 0.1)) if rng.uniform() < share] for _ in range(4000)]
    targets = np.array([[name in own for name in "ab"] for own in labels])
    guessed = mean_average_precision(rng.uniform(size=targets.shape), targets).value
    assert core.baselines([record(own) for own in labels])["tagging"]["map"] == pytest.approx(guessed, abs=0.02)


def test_ceilings_are_what_the_best_guesser_reaches():
    drawn = [scene("base", "train", index) for index in range(200)]
    clips = [record(list(own.labels), **own.facts) for own in drawn]
    ceilings = core.baselines(clips)["classification"]["ceilings"]
    rng = np.random.default_rng(0)
    for modality in ("sound", "picture"):
        right = [rng.choice(own.facts["candidates"][modality]) == own.labels[0] for own in drawn for _ in range(20)]
        assert ceilings[modality] == pytest.approx(np.mean(right), abs=0.03)
        assert 0.7 < ceilings[modality] < 0.9
    assert ceilings["both"] == 1


def test_a_build_keeps_what_holds_for_each_split_and_for_all():
    clips = [record(["bell"], "train"), record(["drum"], "train"), record(["bell"], "test")]
    found = baselines(resolve("unit", clips={"train": 2, "test": 1}), clips)
    assert list(found) == ["all", "train", "test"]
    assert [found[name]["retrieval"]["gallery"] for name in found] == [3, 2, 1]


def test_every_track_says_what_guessing_reaches():
    for own in TRACKS.values():
        module = importlib.import_module(f"seehear.world.tracks.{own.name}")
        assert callable(module.baselines), own.name
