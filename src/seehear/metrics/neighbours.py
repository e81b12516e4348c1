"""Nearest neighbours by cosine and how far their labels agree with the query's (precision at k).

Candidates that tie at the k-th place share the places that are left: the figure is the exact mean over all orders of
the ties, so the order of the items cannot matter and constant embeddings score exactly chance.

Legend: Q queries, N gallery items, D width, C classes.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seehear.errors import DataError, UsageError
from seehear.metrics.arrays import TIE_TOLERANCE, memberships
from seehear.metrics.relevance import shares_label
from seehear.metrics.similarity import cosine_blocks


def neighbour_weights(scores: NDArray[np.float64], k: int, tie_tolerance: float = TIE_TOLERANCE) -> NDArray[np.float64]:
    """Share of each candidate in the k nearest, `[Q, N]` from 0 to 1; rows sum to k (or to all candidates, if fewer).

    Args:
        scores: `[Q, N]`, higher is nearer; minus infinity marks what is no candidate.
        k: number of neighbours.
        tie_tolerance: scores within this of the k-th are ties.
    """
    candidates = scores > -np.inf
    kept = np.minimum(k, candidates.sum(axis=1))[:, None]
    place = min(k, scores.shape[1]) - 1
    last = -np.partition(-scores, place, axis=1)[:, place : place + 1]  # minus infinity: all candidates are among the k
    certain = scores > last + tie_tolerance
    tied = candidates & ~certain & (scores >= last - tie_tolerance)
    places_left = kept - certain.sum(axis=1, keepdims=True)
    return certain + tied * (places_left / np.maximum(tied.sum(axis=1, keepdims=True), 1))


def neighbour_blocks(
    queries: ArrayLike, gallery: ArrayLike, k: int, exclude: ArrayLike | None = None
) -> Iterator[tuple[slice, NDArray[np.float64], NDArray[np.float64]]]:
    """Yield `(rows, cosines [rows, N], weights [rows, N])`, some queries at a time; see `neighbour_weights`.

    Args:
        queries: `[Q, D]`.
        gallery: `[N, D]`.
        k: number of neighbours; fewer where there are fewer candidates.
        exclude: `[Q]`, for each query the gallery row that is no candidate (the query itself); None: all are.

    Raises:
        UsageError: if k is below 1.
        DataError: on embeddings that are not finite, or a query without candidates.
    """
    if k < 1:
        raise UsageError(f"k is {k}", expected="at least 1")
    left_out = None if exclude is None else np.asarray(exclude)
    for rows, scores in cosine_blocks(queries, gallery):
        if left_out is not None:
            np.put_along_axis(scores, left_out[rows][:, None], -np.inf, axis=1)
        if not (scores > -np.inf).any(axis=1).all():
            raise DataError("a query has no candidate", expected="a gallery with at least one item besides the query")
        yield rows, scores, neighbour_weights(scores, k)


def neighbour_agreement(
    queries: ArrayLike,
    gallery: ArrayLike,
    query_labels: ArrayLike,
    gallery_labels: ArrayLike,
    k: int,
    exclude: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Precision at k by label, `[Q]`: share of each query's k nearest that share a label with it.

    Args:
        queries: `[Q, D]`.
        gallery: `[N, D]`.
        query_labels: `[Q, C]` multi-hot.
        gallery_labels: `[N, C]` multi-hot.
        k: number of neighbours; fewer where there are fewer candidates.
        exclude: `[Q]`, gallery row that is no candidate for each query, or None.

    Raises:
        UsageError: if k is below 1.
        DataError: on input that is not finite or does not fit, or a query without candidates.
    """
    wanted, offered = (
        memberships(query_labels, len(np.asarray(queries))),
        memberships(gallery_labels, len(np.asarray(gallery))),
    )
    agreement = np.empty(len(wanted))
    for rows, _, weights in neighbour_blocks(queries, gallery, k, exclude):
        agreeing = (weights * shares_label(wanted[rows], offered)).sum(axis=1)
        agreement[rows] = agreeing / weights.sum(axis=1)
    return agreement
