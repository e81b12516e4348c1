"""What perfect knowledge of the class, and of nothing else, would score: the ceiling beside a retrieval figure.

The oracle scores 1 for items with exactly the query's labels and 0 for all others; the order within is random. With
the true item among n equal ones, its rank is uniform on 1..n: R@k expects min(k, n) / n. A network above this ceiling
has learnt more than classes.

Legend: Q queries, N gallery items, C classes.
"""

import numpy as np
from numpy.typing import ArrayLike

from seehear.errors import UsageError
from seehear.metrics.chance import agreeing_candidates
from seehear.metrics.relevance import label_groups


def oracle_recall(labels: ArrayLike, k: int) -> float:
    """Expected R@k over a gallery of paired clips with multi-hot `labels [N, C]`: mean of min(k, n) / n.

    Raises:
        UsageError: if k is below 1.
        DataError: if the labels are not a finite matrix.
    """
    if k < 1:
        raise UsageError(f"k is {k}", expected="at least 1")
    sizes = _group_sizes(labels)
    return float((np.minimum(k, sizes) / sizes).mean())


def oracle_median_rank(labels: ArrayLike) -> float:
    """Median of the oracle's rank over all queries and all orders within the classes.

    Raises:
        DataError: if the labels are not a finite matrix.
    """
    sizes = _group_sizes(labels)
    ranks = np.arange(1, sizes.max() + 1)
    reached = np.array([(np.minimum(r, sizes) / sizes).mean() for r in ranks])
    rounding = 1e-12
    lower = ranks[np.argmax(reached >= 0.5 - rounding)]
    upper = ranks[np.argmax(reached > 0.5 + rounding)]
    return float(lower + upper) / 2


def oracle_agreement(
    query_labels: ArrayLike, gallery_labels: ArrayLike, k: int, exclude: ArrayLike | None = None
) -> float:
    """Best possible precision at k by label: 1, but for queries with fewer than k agreeing candidates.

    Args:
        query_labels: `[Q, C]` multi-hot.
        gallery_labels: `[N, C]` multi-hot.
        k: number of neighbours.
        exclude: `[Q]`, gallery row that is no candidate for each query, or None.

    Raises:
        UsageError: if k is below 1.
        DataError: if the labels do not fit, or a query has no candidate.
    """
    if k < 1:
        raise UsageError(f"k is {k}", expected="at least 1")
    agreeing, candidates = agreeing_candidates(query_labels, gallery_labels, exclude)
    return float(np.minimum(agreeing, k).mean() / min(k, candidates))


def _group_sizes(labels: ArrayLike) -> np.ndarray:
    groups = label_groups(labels)
    return np.bincount(groups)[groups]
