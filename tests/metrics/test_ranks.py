"""Ranks, R@k and median rank against a loop anyone can read."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from seehear.errors import DataError, UsageError
from seehear.metrics import chance_recall, cosine_ranks, median_rank, recall_at, score_ranks
from seehear.metrics.similarity import cosine_blocks

SCORES = hnp.arrays(np.int64, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(-3, 3))


def naive_rank(row: np.ndarray, true: int) -> int:
    rank = 1
    for other, score in enumerate(row):
        if other != true and score >= row[true]:
            rank += 1
    return rank


@given(SCORES, st.data())
def test_ranks_equal_the_loop_with_many_ties(scores, data):
    truth = np.array([data.draw(st.integers(0, scores.shape[1] - 1)) for _ in scores])
    expected = [naive_rank(row, true) for row, true in zip(scores, truth, strict=True)]
    assert score_ranks(scores, truth).tolist() == expected


def test_cosine_ranks_equal_the_loop_on_the_whole_matrix():
    rng = np.random.default_rng(0)
    queries, gallery = rng.normal(size=(40, 7)), rng.normal(size=(60, 7))
    truth = rng.permutation(60)[:40]
    cosine = (queries @ gallery.T) / np.linalg.norm(queries, axis=1)[:, None] / np.linalg.norm(gallery, axis=1)
    expected = [naive_rank(row, true) for row, true in zip(cosine, truth, strict=True)]
    assert cosine_ranks(queries, gallery, truth).tolist() == expected


@pytest.mark.parametrize("block_entries", [1, 17, 60, 10_000])
def test_blocks_cover_the_matrix_whatever_their_size(block_entries):
    rng = np.random.default_rng(1)
    queries, gallery = rng.normal(size=(11, 5)), rng.normal(size=(6, 5))
    blocks = list(cosine_blocks(queries, gallery, block_entries))
    whole = next(iter(cosine_blocks(queries, gallery)))[1]
    assert [rows.start for rows, _ in blocks] == [0, *[rows.stop for rows, _ in blocks[:-1]]]
    np.testing.assert_allclose(np.concatenate([scores for _, scores in blocks]), whole, atol=1e-14)


@pytest.mark.parametrize("count", [1, 2, 37, 200])
@pytest.mark.parametrize("width", [1, 3, 192])
def test_constant_embeddings_rank_last_everywhere(count, width):
    row = np.random.default_rng(width).normal(size=width).astype(np.float32)
    constant = np.tile(row, (count, 1))
    ranks = cosine_ranks(constant, constant)
    assert (ranks == count).all()
    assert recall_at(ranks, 1) <= chance_recall(1, count)
    assert recall_at(ranks, 10) <= chance_recall(10, count)


def test_embeddings_that_differ_only_by_rounding_rank_last():
    row = np.random.default_rng(3).normal(size=64).astype(np.float32)
    noise = np.random.default_rng(4).normal(size=(50, 64)).astype(np.float32)
    assert (cosine_ranks(row + 1e-8 * noise, row + 1e-8 * noise) == 50).all()


def test_zero_embeddings_rank_last_rather_than_becoming_nan():
    assert (cosine_ranks(np.zeros((5, 3)), np.eye(5, 3)) == 5).all()


def test_distinct_pairs_rank_first():
    assert (cosine_ranks(np.eye(6), 3 * np.eye(6)) == 1).all()


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 30), st.integers(0, 1000))
def test_figures_do_not_depend_on_the_order_of_clips(count, seed):
    rng = np.random.default_rng(seed)
    audio, image = rng.normal(size=(count, 4)), rng.normal(size=(count, 4))
    order = rng.permutation(count)
    ranks, permuted = cosine_ranks(audio, image), cosine_ranks(audio[order], image[order])
    assert (ranks[order] == permuted).all()
    assert recall_at(ranks, 2) == recall_at(permuted, 2)
    assert median_rank(ranks) == median_rank(permuted)


def test_recall_and_median_by_hand():
    ranks = np.array([1, 2, 5, 6, 11, 11])
    assert [recall_at(ranks, k) for k in (1, 5, 10, 11)] == [1 / 6, 3 / 6, 4 / 6, 1.0]
    assert median_rank(ranks) == 5.5


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_embeddings_that_are_not_finite_are_refused(bad):
    broken = np.eye(3)
    broken[1, 1] = bad
    with pytest.raises(DataError, match=r"NaN or infinity in 1 of 3 rows \(first: row 1\)"):
        cosine_ranks(broken, np.eye(3))
    with pytest.raises(DataError, match="gallery embeddings hold NaN"):
        cosine_ranks(np.eye(3), broken)


def test_bad_arguments_are_refused():
    with pytest.raises(DataError, match="3 wide"):
        cosine_ranks(np.eye(3), np.eye(4))
    with pytest.raises(DataError, match="at least one row"):
        cosine_ranks(np.zeros((0, 3)), np.eye(3))
    with pytest.raises(DataError, match="truth"):
        score_ranks(np.eye(3), [0, 1, 3])
    with pytest.raises(DataError, match="one row number"):
        cosine_ranks(np.eye(3), np.eye(3), [0, 1])
    with pytest.raises(UsageError, match="k is 0"):
        recall_at([1, 2], 0)
    with pytest.raises(DataError, match="ranks"):
        recall_at([], 1)
