"""Top-k correctness of class scores, with ties counted against the answer.

With one label per clip this is top-k accuracy; with several it is "hit at k": a clip is correct if any of its labels
is among the k best (as VGGSounder's Hit, arXiv 2508.08237).

Legend: N clips, C classes.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seehear.errors import DataError, UsageError
from seehear.metrics.arrays import finite_matrix, memberships


def top_k_correct(scores: ArrayLike, labels: ArrayLike, k: int = 1) -> NDArray[np.bool_]:
    """Is a true class among the k best, `[N]`: a wrong class with an equal score counts as better.

    Args:
        scores: `[N, C]`.
        labels: `[N, C]` multi-hot.
        k: how many classes may be named.

    Raises:
        UsageError: if k is below 1.
        DataError: on scores that are not finite, labels that do not fit, or a clip without a label.
    """
    if k < 1:
        raise UsageError(f"k is {k}", expected="at least 1")
    matrix = finite_matrix(scores, "scores")
    true = memberships(labels, len(matrix))
    if true.shape != matrix.shape:
        raise DataError(f"labels have {true.shape[1]} classes", expected=f"{matrix.shape[1]} as the scores")
    if not true.any(axis=1).all():
        raise DataError("a clip has no label", expected="at least one", cure="leave clips without labels out")
    best_true = np.where(true, matrix, -np.inf).max(axis=1, keepdims=True)
    return (~true & (matrix >= best_true)).sum(axis=1) < k
