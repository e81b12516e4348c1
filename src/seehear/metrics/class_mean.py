"""Macro average over classes that leaves out, and counts, the classes a figure is not defined for.

Legend: N clips, C classes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seehear.errors import DataError
from seehear.metrics.arrays import finite_matrix, memberships


@dataclass(frozen=True)
class ClassMean:
    """A macro average.

    Attributes:
        value: mean over the classes that count.
        per_class: `[C]`, NaN for a class that does not count.
        counted: number of classes in the mean.
        excluded: number of classes left out.
    """

    value: float
    per_class: NDArray[np.float64]
    counted: int
    excluded: int


def mean_over_classes(
    scores: ArrayLike,
    labels: ArrayLike,
    figure: Callable[[NDArray[np.float64], NDArray[np.bool_]], float],
    counts: Callable[[NDArray[np.bool_]], bool],
) -> ClassMean:
    """Mean of `figure(scores of a class [N], membership [N])` over the classes whose membership `counts`.

    Raises:
        DataError: on scores that are not finite, labels that do not fit, or if no class counts.
    """
    matrix = finite_matrix(scores, "scores")
    true = memberships(labels, len(matrix))
    if true.shape != matrix.shape:
        raise DataError(f"labels have {true.shape[1]} classes", expected=f"{matrix.shape[1]} as the scores")
    values = [figure(s, t) if counts(t) else float("nan") for s, t in zip(matrix.T, true.T, strict=True)]
    per_class = np.array(values)
    counted = int((~np.isnan(per_class)).sum())
    if counted == 0:
        raise DataError("no class has the examples that the figure needs", expected="at least one class with positives")
    return ClassMean(float(np.nanmean(per_class)), per_class, counted, len(values) - counted)
