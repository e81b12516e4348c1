"""Balanced sampling: frequencies, purity, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from seehear.clips import BalancedSampler, Loader, MemoryClips, label_weights
from seehear.contracts import AudioNeed, Sampler
from seehear.errors import DataError, UsageError
from seehear.randomness import Randomness, stable_hash
from tests.clips.made_clips import NEEDS, make_clip


def numbers(count: int) -> np.ndarray:
    return np.array([stable_hash(f"clip{i}") for i in range(count)], dtype=np.int64)


def test_weights_are_the_sum_over_labels():
    labels = [["a"], ["a", "b"], ["a"], ["c"]]
    source = MemoryClips(make_clip(i, labels=row) for i, row in enumerate(labels))
    rare, common = 1000 / 1.01, 1000 / 3.01
    assert label_weights(source).tolist() == pytest.approx([common, common + rare, common, rare])


def test_a_clip_without_a_label_is_refused():
    source = MemoryClips([make_clip(0), make_clip(1, labels=[]), make_clip(2, labels=[])])
    with pytest.raises(DataError, match="2 of 3 clips have no label"):
        label_weights(source)


def test_frequencies_are_those_of_the_weights():
    weights = np.array([1.0, 2.0, 4.0, 1.0, 8.0])
    ids = numbers(5)
    sampler = BalancedSampler(ids, weights, 64, 3)
    drawn = np.concatenate([sampler.plan(step) for step in range(200)])
    counts = np.array([(drawn == number).sum() for number in ids])
    assert scipy.stats.chisquare(counts, len(drawn) * weights / weights.sum()).pvalue > 0.01


def test_classes_come_equally_often():
    source = MemoryClips(make_clip(i, labels=["rare" if i < 4 else "common"]) for i in range(80))
    sampler = BalancedSampler(source.ids, label_weights(source), 100, 0)
    rare = set(source.ids[:4].tolist())
    share = np.mean([number in rare for step in range(50) for number in sampler.plan(step).tolist()])
    assert abs(share - 0.5) < 0.03


@given(st.permutations(list(range(9))), st.integers(0, 2**31), st.integers(0, 50))
def test_a_plan_is_pure_and_does_not_depend_on_the_order_of_listing(order, seed, step):
    ids, weights = numbers(9), np.arange(1.0, 10.0)
    one = BalancedSampler(ids, weights, 7, seed)
    assert isinstance(one, Sampler)
    one.plan(step + 3)
    other = BalancedSampler(ids[order], weights[order], 7, seed)
    assert np.array_equal(one.plan(step), other.plan(step))


def test_the_stream_does_not_depend_on_the_batch():
    ids, weights = numbers(9), np.arange(1.0, 10.0)
    small, large = BalancedSampler(ids, weights, 4, 1), BalancedSampler(ids, weights, 12, 1)
    streams = [np.concatenate([s.plan(step) for step in range(n)]) for s, n in ((small, 6), (large, 2))]
    assert np.array_equal(*streams)


@given(st.integers(2, 12), st.integers(1, 20), st.integers(0, 40), st.integers(0, 4))
def test_replacements_are_pure_and_new_to_the_batch(count, batch, position, attempt):
    sampler = BalancedSampler(numbers(count), np.ones(count), batch, 5)
    other, planned = sampler.replacement(position, attempt), sampler.plan(position // batch)
    assert other == BalancedSampler(numbers(count), np.ones(count), batch, 5).replacement(position, attempt)
    if len(set(planned.tolist())) < count:
        assert other not in planned
    else:
        assert other != planned[position % batch]


def test_ranks_share_one_plan_and_a_resume_goes_on():
    source = MemoryClips(make_clip(i) for i in range(10))
    sampler = BalancedSampler(source.ids, label_weights(source), 6, 2)

    def ids(rank: int, world_size: int, first: int, last: int) -> list[list[int]]:
        loader = Loader(source, NEEDS, sampler, Randomness(2, 10), rank=rank, world_size=world_size, threads=0)
        return [batch.sample_ids.tolist() for batch in loader.batches(first, last)]

    alone = ids(0, 1, 0, 4)
    halves = [one + other for one, other in zip(ids(0, 2, 0, 4), ids(1, 2, 0, 4), strict=True)]
    assert halves == alone
    state, fresh = sampler.state_dict(), BalancedSampler(source.ids, label_weights(source), 6, 99)
    fresh.load_state_dict(state)
    assert np.array_equal(fresh.plan(2), np.array(alone[2]))
    assert ids(0, 1, 2, 4) == alone[2:]
    with pytest.raises(UsageError, match="clips_per_epoch is 9"):
        BalancedSampler(numbers(9), np.ones(9), 6, 0).load_state_dict(state)


def test_what_cannot_be_drawn_from_is_refused():
    with pytest.raises(DataError, match="no clips"):
        BalancedSampler(np.empty(0, dtype=np.int64), np.empty(0), 4, 0)
    with pytest.raises(DataError, match="above 0"):
        BalancedSampler(numbers(2), np.array([1.0, 0.0]), 4, 0)
    with pytest.raises(UsageError, match="3 weights for 2"):
        BalancedSampler(numbers(2), np.ones(3), 4, 0)
    with pytest.raises(DataError, match="the only clip"):
        BalancedSampler(numbers(1), np.ones(1), 1, 0).replacement(0, 0)


# ----------------------------------------------------------------------------------------------------- class names
def test_clips_take_the_classes_of_a_network():
    source = MemoryClips(make_clip(i) for i in range(4))  # class0 to class2
    named = source.with_classes(("other", "class2", "class1", "class0"))
    assert named.label_names == ("other", "class2", "class1", "class0")
    assert named.label_matrix([0, 1, 2]).tolist() == [[0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0]]
    assert named.subset(indices=[2]).labels == [["class2"]]
    with pytest.raises(DataError, match=r"2 of 3 classes .* none of the 1 expected \('class1', 'class2'\)"):
        source.with_classes(("class0",))


def test_training_draws_one_of_the_stored_frames_at_random():
    source = MemoryClips(make_clip(i, frames=5) for i in range(40))
    needs = replace(NEEDS, audio=AudioNeed(0.2), frames=replace(NEEDS.frames, count=1))  # the whole sound
    sampler = BalancedSampler(source.ids, np.ones(40), 40, 2)
    loader = Loader(source, needs, sampler, Randomness(2, 40), threads=0)
    shown = np.concatenate([batch["frames"][:, 0, 1, 0, 0].numpy() for batch in loader.batches(0, 10)])
    counts = np.bincount(shown, minlength=5)
    assert len(counts) == 5
    assert scipy.stats.chisquare(counts).pvalue > 0.01
