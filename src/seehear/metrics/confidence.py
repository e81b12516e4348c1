"""Lower confidence bounds: of a share (Wilson, 1927), of a mean of a few measurements (Student's t), and of any figure
of many clips (delete-a-group jackknife; Shao and Wu, 1989, Annals of Statistics 17).

All are the lower end of the two-sided interval. A mean of N values between 0 and 1 has at most the variance of a
share, so Wilson's bound is safe for it too.
"""

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seehear.errors import DataError, UsageError
from seehear.metrics.arrays import finite_vector


def wilson_lower_bound(share: float, trials: int, confidence: float = 0.95) -> float:
    """Lower end of Wilson's score interval for a `share` (0 to 1) seen in `trials` independent trials.

    Raises:
        UsageError: if the share or the confidence is not between 0 and 1, or there is no trial.
    """
    if not (0 <= share <= 1 and 0 < confidence < 1 and trials >= 1):
        raise UsageError(
            f"share {share}, trials {trials}, confidence {confidence}", expected="0 to 1, 1 or more, 0 to 1"
        )
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    centre = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return max(0.0, (centre - spread) / (1 + z * z / trials))


def mean_lower_bound(values: ArrayLike, confidence: float = 0.95) -> float:
    """Lower end of Student's interval for the mean of independent `values [N]`, e.g. one per gallery.

    Raises:
        UsageError: if the confidence is not between 0 and 1.
        DataError: if there are fewer than two values, or one is not finite.
    """
    sample = finite_vector(values, "values")
    if len(sample) < 2:
        raise DataError("a spread of one value is unknown", expected="at least two values")
    error = float(np.std(sample, ddof=1)) / math.sqrt(len(sample))
    return float(sample.mean()) - student_quantile(confidence, len(sample) - 1) * error


def jackknife_lower_bound(
    measure: Callable[[NDArray[np.int64]], float], clips: int, groups: int = 20, confidence: float = 0.95
) -> float:
    """Lower end of Student's interval for a figure of independent clips, by leaving one group out at a time.

    Args:
        measure: the figure of the clips in some rows.
        clips: how many there are, in random order; clip i belongs to group i modulo `groups`.
        groups: how many (as many as clips, where there are fewer).
        confidence: of the interval.

    Raises:
        UsageError: if the confidence is not between 0 and 1.
        DataError: of fewer than two clips.
    """
    rows, groups = np.arange(clips), min(groups, clips)
    if groups < 2:
        raise DataError(f"a spread of {clips} clips is unknown", expected="at least two clips")
    without = np.array([measure(rows[rows % groups != group]) for group in range(groups)])
    error = math.sqrt((groups - 1) / groups * float(np.square(without - without.mean()).sum()))
    return measure(rows) - student_quantile(confidence, groups - 1) * error


def student_quantile(confidence: float, degrees: int) -> float:
    """The t with `confidence` of Student's distribution between -t and t, by bisection.

    Raises:
        UsageError: if the confidence is not between 0 and 1, or there is no degree of freedom.
    """
    if not (0 < confidence < 1 and degrees >= 1):
        raise UsageError(f"confidence {confidence}, {degrees} degrees of freedom", expected="0 to 1, and 1 or more")
    low, high = 0.0, math.pi / 2  # as an angle: t = sqrt(degrees) * tan(angle)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _central_share(middle, degrees) < confidence else (low, middle)
    return math.sqrt(degrees) * math.tan(low)


def _central_share(angle: float, degrees: int) -> float:
    """Student's probability within +-sqrt(degrees) tan(angle): Abramowitz and Stegun 26.7.3 and 26.7.4."""
    odd = degrees % 2
    term, total = (math.cos(angle), 0.0) if odd else (1.0, 0.0)
    for j in range(degrees // 2):
        total += term
        step = (2 * j + 2) / (2 * j + 3) if odd else (2 * j + 1) / (2 * j + 2)
        term *= step * math.cos(angle) ** 2
    return (angle + math.sin(angle) * total) * 2 / math.pi if odd else math.sin(angle) * total
