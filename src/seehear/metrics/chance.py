"""What a guess scores, exactly: the floor beside a figure.

Legend: Q queries, N gallery items, C classes.
"""

import numpy as np
from numpy.typing import ArrayLike

from seehear.errors import DataError, UsageError
from seehear.metrics.arrays import memberships
from seehear.metrics.relevance import shares_label

_BLOCK_ENTRIES = 2**24  # pairs compared at a time


def chance_recall(k: int, gallery_size: int) -> float:
    """R@k of a random order of the gallery: k / N, or 1 if the gallery is smaller than k.

    Raises:
        UsageError: if k or the gallery's size is below 1.
    """
    if k < 1 or gallery_size < 1:
        raise UsageError(f"k is {k}, the gallery holds {gallery_size}", expected="at least 1 of both")
    return min(k, gallery_size) / gallery_size


def chance_median_rank(gallery_size: int) -> float:
    """Median rank of a random order: (N + 1) / 2.

    Raises:
        UsageError: if the gallery's size is below 1.
    """
    if gallery_size < 1:
        raise UsageError(f"the gallery holds {gallery_size}", expected="at least 1")
    return (gallery_size + 1) / 2


def chance_agreement(query_labels: ArrayLike, gallery_labels: ArrayLike, exclude: ArrayLike | None = None) -> float:
    """Class agreement of random neighbours: mean over queries of the share of candidates that share a label.

    Args:
        query_labels: `[Q, C]` multi-hot.
        gallery_labels: `[N, C]` multi-hot.
        exclude: `[Q]`, gallery row that is no candidate for each query, or None.

    Raises:
        DataError: if the labels do not fit, or a query has no candidate.
    """
    agreeing, candidates = agreeing_candidates(query_labels, gallery_labels, exclude)
    return float((agreeing / candidates).mean())


def agreeing_candidates(
    query_labels: ArrayLike, gallery_labels: ArrayLike, exclude: ArrayLike | None = None
) -> tuple[np.ndarray, int]:
    """For each query the number of candidates that share a label with it, `[Q]`, and the number of candidates.

    Raises:
        DataError: if the labels do not fit, or a query has no candidate.
    """
    queries, gallery = memberships(query_labels), memberships(gallery_labels)
    left_out = None if exclude is None else np.asarray(exclude)
    candidates = len(gallery) - (left_out is not None)
    if candidates < 1:
        raise DataError("a query has no candidate", expected="a gallery with at least one item besides the query")
    counts, step = [], max(1, _BLOCK_ENTRIES // len(gallery))
    for start in range(0, len(queries), step):
        agreeing = shares_label(queries[start : start + step], gallery)
        if left_out is not None:
            np.put_along_axis(agreeing, left_out[start : start + step, None], False, axis=1)
        counts.append(agreeing.sum(axis=1))
    return np.concatenate(counts), candidates


def chance_top_k(labels: ArrayLike, k: int, classes: int) -> float:
    """Share of clips right when k of `classes` classes are named at random (k / classes with one label per clip).

    A clip with several labels counts as right if any is named.

    Args:
        labels: `[N, C]` multi-hot; every clip has a label.
        k: how many classes are named.
        classes: how many there are to name.

    Raises:
        DataError: on labels that are no finite matrix.
    """
    positives = memberships(labels).sum(axis=1)
    missed = np.ones(len(positives))
    for named in range(min(k, classes)):
        missed *= np.clip(classes - positives - named, 0, None) / (classes - named)
    return float((1 - missed).mean())
