import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seehear.clips import ShuffleSampler
from seehear.contracts import Sampler
from seehear.errors import DataError, UsageError
from seehear.randomness import stable_hash

counts, batches, seeds = st.integers(1, 40), st.integers(1, 50), st.integers(0, 2**31)


def numbers(count: int) -> np.ndarray:
    return np.array([stable_hash(f"clip{i}") for i in range(count)], dtype=np.int64)


@given(counts, batches, seeds)
def test_each_clip_once_an_epoch(count: int, batch: int, seed: int) -> None:
    sampler = ShuffleSampler(numbers(count), batch, seed)
    steps = -(-3 * count // batch)
    stream = np.concatenate([sampler.plan(step) for step in range(steps)])[: 3 * count]
    for epoch in stream.reshape(3, count):
        assert sorted(epoch) == sorted(numbers(count))


def test_is_a_sampler_whose_epochs_differ() -> None:
    sampler = ShuffleSampler(numbers(100), 100, 1)
    assert isinstance(sampler, Sampler)
    assert not np.array_equal(sampler.plan(0), sampler.plan(1))
    assert not np.array_equal(sampler.plan(0), ShuffleSampler(numbers(100), 100, 2).plan(0))
    moved = np.mean([np.mean(sampler.plan(i) == sampler.plan(i + 1)) for i in range(50)])
    assert moved < 0.03  # of two random orders, 1 in 100 places agrees


@given(st.permutations(list(range(12))), seeds)
def test_order_of_listing_does_not_matter(order: list[int], seed: int) -> None:
    ids = numbers(12)
    assert np.array_equal(ShuffleSampler(ids[order], 5, seed).plan(7), ShuffleSampler(ids, 5, seed).plan(7))


def test_any_step_can_be_asked_first() -> None:
    forward = ShuffleSampler(numbers(31), 7, 5)
    planned = [forward.plan(step) for step in range(20)]
    for step in (19, 3, 11, 0):
        assert np.array_equal(ShuffleSampler(numbers(31), 7, 5).plan(step), planned[step])


@given(st.integers(2, 40), batches, seeds, st.integers(0, 60), st.integers(0, 5))
def test_replacements_are_pure_and_new_to_the_batch(
    count: int, batch: int, seed: int, position: int, attempt: int
) -> None:
    sampler = ShuffleSampler(numbers(count), batch, seed)
    other = sampler.replacement(position, attempt)
    planned = sampler.plan(position // batch)
    assert other in numbers(count)
    assert other == ShuffleSampler(numbers(count), batch, seed).replacement(position, attempt)
    if len(set(planned.tolist())) < count:
        assert other not in planned
    else:
        assert other != planned[position % batch]


def test_replacements_of_one_batch_differ() -> None:
    sampler = ShuffleSampler(numbers(100), 10, 0)
    chosen = [sampler.replacement(30 + slot, attempt) for slot in range(10) for attempt in range(9)]
    assert len(set(chosen)) == 90


def test_state_is_two_integers() -> None:
    sampler = ShuffleSampler(numbers(10), 4, 3)
    state = sampler.state_dict()
    assert len(state) == 2
    assert all(isinstance(value, int) for value in state.values())
    other = ShuffleSampler(numbers(10), 4, 99)
    other.plan(0)
    other.load_state_dict(state)
    assert np.array_equal(other.plan(2), sampler.plan(2))
    with pytest.raises(UsageError, match="clips_per_epoch is 11"):
        ShuffleSampler(numbers(11), 4, 3).load_state_dict(state)


def test_bad_input_is_refused() -> None:
    with pytest.raises(DataError, match="no clips"):
        ShuffleSampler(np.array([], dtype=np.int64), 4, 0)
    with pytest.raises(DataError, match="more than once"):
        ShuffleSampler(np.array([1, 2, 2]), 4, 0)
    with pytest.raises(UsageError, match="global batch of 0"):
        ShuffleSampler(numbers(3), 0, 0)
    with pytest.raises(DataError, match="only clip"):
        ShuffleSampler(numbers(1), 2, 0).replacement(0, 0)
