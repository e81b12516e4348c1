"""Average precision and its macro average, mAP (AudioSet's figure).

AP = sum over thresholds of (recall step) x (precision there), equal scores being one threshold (scikit-learn's
definition, without interpolation): constant scores give the share of positives, which is chance.

Legend: N clips, C classes.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seehear.errors import DataError
from seehear.metrics.arrays import finite_vector
from seehear.metrics.class_mean import ClassMean, mean_over_classes


def average_precision(scores: ArrayLike, relevant: ArrayLike) -> float:
    """AP of one class: `scores [N]`, `relevant [N]` bool.

    Raises:
        DataError: on scores that are not finite, another length, or no positive.
    """
    values, true = finite_vector(scores, "scores"), np.asarray(relevant, dtype=bool)
    if true.shape != values.shape or not true.any():
        raise DataError(
            f"{int(true.sum())} positives of {true.shape} for {values.shape} scores", expected="at least one"
        )
    order = np.argsort(-values, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(values[order])), len(values) - 1)  # last place of each threshold
    hits = np.cumsum(true[order])[ends]
    precision, recall_steps = hits / (ends + 1), np.diff(hits, prepend=0) / true.sum()
    return float((precision * recall_steps).sum())


def mean_average_precision(scores: ArrayLike, labels: ArrayLike) -> ClassMean:
    """mAP of `scores [N, C]` for multi-hot `labels [N, C]`; classes without positives are left out and counted.

    Raises:
        DataError: on scores that are not finite, labels that do not fit, or if no class has a positive.
    """
    return mean_over_classes(scores, labels, average_precision, _has_positive)


def _has_positive(true: NDArray[np.bool_]) -> bool:
    return bool(true.any())
