"""Ranks from one product: exact whatever float32 does, the same as a loop over all pairs, in both directions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seehear.errors import DataError
from seehear.metrics import cosine_ranks, paired_ranks, retrieval, score_ranks
from seehear.metrics.arrays import TIE_TOLERANCE
from seehear.metrics.similarity import cosine_blocks


def slow_ranks(one: np.ndarray, other: np.ndarray) -> list[int]:
    """One pair of vectors after another, in Python's own exact order of sums."""

    def cosine(x: np.ndarray, y: np.ndarray) -> float:
        length = (float(x @ x) * float(y @ y)) ** 0.5
        return float(x @ y) / length if length else 0.0

    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    ranks = []
    for i, query in enumerate(one):
        true = cosine(query, other[i])
        others = sum(cosine(query, other[j]) >= true - TIE_TOLERANCE for j in range(len(other)) if j != i)
        ranks.append(1 + others)
    return ranks


def float64_ranks(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The whole product in float64."""
    blocks = cosine_blocks(one, other)
    return np.concatenate([score_ranks(s, np.arange(len(one))[rows], TIE_TOLERANCE) for rows, s in blocks])


def pairs(count: int, width: int, noise: float, seed: int, dtype: type = np.float32) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    one = rng.normal(size=(count, width))
    return one.astype(dtype), (one + noise * rng.normal(size=one.shape)).astype(dtype)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 24),
    st.integers(1, 9),
    st.sampled_from([0.0, 0.5, 3.0]),
    st.sampled_from([np.float32, np.float64, np.float16]),
    st.integers(1, 200),
    st.integers(0, 10_000),
)
def test_both_directions_equal_the_loop_over_pairs(count, width, noise, dtype, block_entries, seed):
    one, other = pairs(count, width, noise, seed, dtype)
    forward, backward = paired_ranks(one, other, block_entries=block_entries)
    assert forward.tolist() == slow_ranks(one, other)
    assert backward.tolist() == slow_ranks(other, one)


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 30), st.integers(1, 3), st.integers(1, 60), st.integers(0, 10_000))
def test_many_exact_ties_equal_the_loop(count, width, block_entries, seed):
    rng = np.random.default_rng(seed)
    one, other = (rng.integers(-1, 2, size=(count, width)).astype(np.float32) for _ in range(2))  # zeros among them
    forward, backward = paired_ranks(one, other, block_entries=block_entries)
    assert forward.tolist() == slow_ranks(one, other)
    assert backward.tolist() == slow_ranks(other, one)


@pytest.mark.parametrize("spread", [1.0, 1e-3, 1e-5, 1e-7])
def test_differences_below_float32_are_told_apart(spread):
    rng = np.random.default_rng(5)
    centre = rng.normal(size=64)
    one, other = (centre + spread * rng.normal(size=(90, 64)) for _ in range(2))
    forward, backward = paired_ranks(one, other)
    np.testing.assert_array_equal(forward, float64_ranks(one, other))
    np.testing.assert_array_equal(backward, float64_ranks(other, one))


def test_close_scores_pair_by_pair_and_by_the_block_are_the_same(monkeypatch):
    one, other = pairs(120, 16, 4.0, 6)
    other[60:] = other[:60]  # a tie for every pair
    ranks = []
    for few in (-1.0, 1.0):
        monkeypatch.setattr(retrieval, "_FEW", few)
        ranks.append(paired_ranks(one, other, block_entries=1000))
    np.testing.assert_array_equal(ranks[0], ranks[1])
    np.testing.assert_array_equal(ranks[0][0], float64_ranks(one, other))


def test_one_way_with_any_truth_equals_the_whole_matrix():
    rng = np.random.default_rng(7)
    queries, gallery, truth = rng.normal(size=(70, 12)), rng.normal(size=(31, 12)), rng.integers(0, 31, 70)
    scores = np.concatenate([scores for _, scores in cosine_blocks(queries, gallery)])
    expected = score_ranks(scores, truth, TIE_TOLERANCE)
    np.testing.assert_array_equal(cosine_ranks(queries, gallery, truth), expected)
    np.testing.assert_array_equal(cosine_ranks(queries.astype(np.float32), gallery.astype(np.float32), truth), expected)


@pytest.mark.parametrize("scale", [1e-42, 1e-30, 1e-6, 1e6, 1e30])
def test_scale_does_not_matter(scale):
    one, other = pairs(40, 8, 1.0, 8)
    large = (one * np.float32(scale)).astype(np.float32)
    np.testing.assert_array_equal(
        paired_ranks(large, other), [float64_ranks(large, other), float64_ranks(other, large)]
    )


def test_at_the_size_of_a_benchmark():
    one, other = pairs(600, 256, 6.0, 9)
    forward, backward = paired_ranks(one, other, block_entries=50_000)
    np.testing.assert_array_equal(forward, float64_ranks(one, other))
    np.testing.assert_array_equal(backward, float64_ranks(other, one))
    assert 1 < np.median(forward) < 100  # hard enough to tell something


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_not_finite_is_refused(bad, dtype):
    broken = np.eye(3, dtype=dtype)
    broken[2, 0] = bad
    with pytest.raises(DataError, match=r"query embeddings hold NaN or infinity in 1 of 3 rows \(first: row 2\)"):
        paired_ranks(broken, np.eye(3))
    with pytest.raises(DataError, match="gallery embeddings hold NaN"):
        paired_ranks(np.eye(3), broken)


def test_what_does_not_fit_is_refused():
    with pytest.raises(DataError, match="3 and 4 embeddings"):
        paired_ranks(np.eye(3), np.eye(4))
    with pytest.raises(DataError, match="3 wide"):
        paired_ranks(np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(DataError, match="at least one row"):
        paired_ranks(np.zeros((0, 3)), np.zeros((0, 3)))
    with pytest.raises(DataError, match="at least one row"):
        paired_ranks(np.ones(3), np.ones(3))
    with pytest.raises(DataError, match="truth goes from 0 to 3"):
        cosine_ranks(np.eye(3), np.eye(3), [0, 1, 3])
