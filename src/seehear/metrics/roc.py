"""Area under the ROC curve, and d-prime from it (AudioSet's second figures).

AUC is the chance that a positive scores above a negative, ties counting one half (Mann-Whitney).
d' = sqrt(2) * Phi^-1(AUC) (Hershey et al., ICASSP 2017). Deviation from the reference code of AudioSet models: a class
without positives or without negatives is left out and counted there, never averaged in as -1.

Legend: N clips, C classes.
"""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seehear.errors import DataError, UsageError
from seehear.metrics.arrays import finite_vector
from seehear.metrics.class_mean import ClassMean, mean_over_classes


def area_under_roc(scores: ArrayLike, relevant: ArrayLike) -> float:
    """AUC of one class: `scores [N]`, `relevant [N]` bool; chance is 0.5.

    Raises:
        DataError: on scores that are not finite, another length, or if positives or negatives are missing.
    """
    values, true = finite_vector(scores, "scores"), np.asarray(relevant, dtype=bool)
    if true.shape != values.shape or not _has_both(true):
        raise DataError(
            f"{int(true.sum())} positives of {true.shape} for {values.shape} scores", expected="some of both"
        )
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    mean_ranks = np.cumsum(sizes) - (sizes - 1) / 2  # from 1; ties share the mean of their ranks
    positives, negatives = int(true.sum()), int((~true).sum())
    above = mean_ranks[group][true].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def mean_area_under_roc(scores: ArrayLike, labels: ArrayLike) -> ClassMean:
    """Macro average of AUC for `scores [N, C]` and multi-hot `labels [N, C]`.

    Raises:
        DataError: on scores that are not finite, labels that do not fit, or if no class has positives and negatives.
    """
    return mean_over_classes(scores, labels, area_under_roc, _has_both)


def d_prime(area: float) -> float:
    """d' of an AUC: 0 at chance, plus or minus infinity at 1 or 0.

    Raises:
        UsageError: if the area is not between 0 and 1.
    """
    if not 0 <= area <= 1:
        raise UsageError(f"the area under the curve is {area}", expected="a number from 0 to 1")
    if area in (0, 1):
        return math.copysign(math.inf, area - 0.5)
    return math.sqrt(2) * NormalDist().inv_cdf(area)


def _has_both(true: NDArray[np.bool_]) -> bool:
    return bool(true.any() and not true.all())
