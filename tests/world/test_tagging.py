"""Long tails, parent labels, missing labels."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seehear.errors import UsageError
from seehear.world import scene
from seehear.world.classes import kind
from seehear.world.drawing.tagging import class_of, shares
from seehear.world.presets import resolve


@given(tail=st.floats(1.5, 100), seed=st.integers(0, 1000), count=st.integers(400, 2000))
def test_a_tail_has_its_ratio_and_any_prefix_follows_it(tail, seed, count):
    preset = resolve("base", long_tail=tail)
    wanted = shares(preset, seed)
    assert sum(wanted.values()) == pytest.approx(1)
    assert max(wanted.values()) / min(wanted.values()) == pytest.approx(tail)
    found = Counter(class_of(preset, "train", index, seed) for index in range(count))
    for name, share in wanted.items():
        assert abs(found[name] - share * count) < 4


def test_only_training_has_a_tail():
    preset = resolve("base", long_tail=50)
    assert {scene(preset, "test", index, 0).labels for index in range(20)} == {(name,) for name in preset.classes}
    labels = Counter(scene(preset, "train", index, 0).labels[0] for index in range(300))
    assert max(labels.values()) > 20


def test_a_tail_in_multi_label_clips():
    preset = resolve("multi", long_tail=50)
    weight = shares(preset, 0)
    labels = Counter(name for index in range(300) for name in scene(preset, "train", index, 0).labels)
    ranks = [np.argsort(np.argsort([own[name] for name in preset.classes])) for own in (labels, weight)]
    assert np.corrcoef(*ranks)[0, 1] > 0.9


def test_parents_are_labels_and_some_are_removed_in_training():
    preset = resolve("base", parent_labels=True, removed_labels=0.2)
    assert set(preset.labels) > set(preset.classes)
    lost = []
    for index in range(300):
        clip = scene(preset, "train", index, 0)
        name = clip.facts["label_single"]
        assert clip.facts["labels_complete"] == [name, kind(name).group]
        assert name in clip.labels
        lost.append(len(clip.labels) == 1)
    assert abs(np.mean(lost) - 0.2) < 0.08
    assert all(len(scene(preset, "test", index, 0).labels) == 2 for index in range(40))


def test_options_that_do_not_go_together_are_refused():
    with pytest.raises(UsageError, match="no parent labels"):
        resolve("base", removed_labels=0.2)
    with pytest.raises(UsageError, match="at least 1"):
        resolve("base", long_tail=0.5)
    with pytest.raises(UsageError, match="below 1"):
        resolve("base", parent_labels=True, removed_labels=1.0)
