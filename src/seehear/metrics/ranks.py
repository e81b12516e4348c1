"""Retrieval ranks with ties counted against the query, R@k and median rank.

Rank = 1 + number of OTHER candidates that score at least as high as the true one. Constant embeddings thus rank last
everywhere; counting ties at their best place (as the code of CAV-MAE does) would give them 100 %.

Legend: Q queries, N gallery items, D width.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seehear.errors import DataError, UsageError
from seehear.metrics.arrays import TIE_TOLERANCE, finite_matrix, finite_vector
from seehear.metrics.retrieval import one_way_ranks


def score_ranks(scores: ArrayLike, truth: ArrayLike, tie_tolerance: float = 0.0) -> NDArray[np.int64]:
    """Rank of the true candidate of each query, `[Q]` from 1 to N.

    Args:
        scores: `[Q, N]`, higher is nearer.
        truth: `[Q]`, the column of each query's true candidate.
        tie_tolerance: scores less than this below the true one still tie with it.

    Raises:
        DataError: if the scores are not finite, or `truth` does not fit them.
    """
    matrix, columns = finite_matrix(scores, "scores"), np.asarray(truth)
    if columns.shape != (len(matrix),) or columns.min() < 0 or columns.max() >= matrix.shape[1]:
        raise DataError(
            f"truth has shape {columns.shape}", expected=f"{len(matrix)} columns from 0 to {matrix.shape[1] - 1}"
        )
    true_scores = np.take_along_axis(matrix, columns[:, None].astype(np.int64), axis=1)
    return (matrix >= true_scores - tie_tolerance).sum(axis=1)  # the true candidate counts itself: the 1 of the rank


def cosine_ranks(
    queries: ArrayLike, gallery: ArrayLike, truth: ArrayLike | None = None, tie_tolerance: float = TIE_TOLERANCE
) -> NDArray[np.int64]:
    """Rank of each query's true candidate by cosine, `[Q]`, exact and in blocks of bounded memory.

    For pairs in both directions see `paired_ranks`.

    Args:
        queries: `[Q, D]`.
        gallery: `[N, D]`.
        truth: `[Q]`, row of the gallery that belongs to each query; by default row i to query i.
        tie_tolerance: cosines nearer than this are ties.

    Raises:
        DataError: on embeddings that are not finite or do not fit each other.
    """
    count = len(np.asarray(queries))
    rows_of_truth = np.arange(count) if truth is None else np.asarray(truth)
    if rows_of_truth.shape != (count,):
        raise DataError(
            f"truth has shape {rows_of_truth.shape}", expected=f"one row number for each of {count} queries"
        )
    if count and not 0 <= rows_of_truth.min() <= rows_of_truth.max() < len(np.asarray(gallery)):
        raise DataError(
            f"truth goes from {rows_of_truth.min()} to {rows_of_truth.max()}",
            expected=f"rows from 0 to {len(np.asarray(gallery)) - 1}",
        )
    return one_way_ranks(queries, gallery, rows_of_truth.astype(np.int64), tie_tolerance)


def recall_at(ranks: ArrayLike, k: int) -> float:
    """R@k: share of queries whose true candidate ranks among the first k.

    Raises:
        UsageError: if k is below 1.
        DataError: if there are no ranks.
    """
    if k < 1:
        raise UsageError(f"k is {k}", expected="at least 1")
    return float((finite_vector(ranks, "ranks") <= k).mean())


def median_rank(ranks: ArrayLike) -> float:
    """Median rank (1 is best; the mean of the two middle ones for an even number of queries).

    Raises:
        DataError: if there are no ranks.
    """
    return float(np.median(finite_vector(ranks, "ranks")))
