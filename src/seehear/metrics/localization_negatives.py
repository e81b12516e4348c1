"""Localisation where there may be nothing to find: sounds off screen and silence beside sounds that are seen.

Source: SLAVC (Mo and Morgado, arXiv 2209.09634) and its released code. A clip has a confidence c, the peak of its raw
map; at a threshold t, of the clips with c >= t, those that sound on screen and are found (cIoU of 0.5 or more) are true
positives and all others false positives; a clip that sounds on screen with c < t is a false negative. A threshold is
every confidence that occurs; clips of equal confidence pass together.

Legend: N clips.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seehear.errors import DataError
from seehear.metrics.arrays import finite_vector


@dataclass(frozen=True)
class Detection:
    """Figures over all thresholds.

    Attributes:
        average_precision: sum of (recall step) x precision, from the highest threshold down.
        best_f1: the highest harmonic mean of precision and recall.
        accuracy: precision where every clip passes ("LocAcc").
    """

    average_precision: float
    best_f1: float
    accuracy: float


def detection(confidences: ArrayLike, found: ArrayLike, sounding: ArrayLike) -> Detection:
    """SLAVC's figures.

    Args:
        confidences: `[N]`.
        found: bool `[N]`: the map overlaps the truth by half or more; of no matter where nothing sounds on screen.
        sounding: bool `[N]`: something sounds on screen.

    Raises:
        DataError: on confidences that are not finite, other lengths, or no clip that sounds on screen.
    """
    values, right, true = _checked(confidences, found, sounding)
    order = np.argsort(-values, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(values[order])), len(values) - 1)  # last place of each threshold
    hits = np.cumsum((right & true)[order])[ends]
    missed = true.sum() - np.cumsum(true[order])[ends]
    precision = hits / (ends + 1)
    recall = np.divide(hits, hits + missed, out=np.zeros(len(hits)), where=hits + missed > 0)
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros(len(hits)), where=total > 0)
    return Detection(float((precision * np.diff(recall, prepend=0)).sum()), float(f1.max()), float(precision[-1]))


def false_positives(confidences: ArrayLike, sounding: ArrayLike, kept: float = 0.9) -> float:
    """Share of the clips without a sound on screen that pass the highest threshold which `kept` of the others pass.

    A confidence that says nothing gives `kept`, or more where many are equal.

    Raises:
        DataError: on confidences that are not finite, other lengths, or none of either kind.
    """
    values, _, true = _checked(confidences, sounding, sounding)
    if true.all():
        raise DataError("something sounds on screen in every clip", expected="some clips without")
    own = np.sort(values[true])[::-1]
    threshold = own[max(1, int(np.ceil(kept * len(own)))) - 1]
    return float((values[~true] >= threshold).mean())


def _checked(
    confidences: ArrayLike, found: ArrayLike, sounding: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    values = finite_vector(confidences, "confidences")
    right, true = np.asarray(found, bool), np.asarray(sounding, bool)
    if right.shape != values.shape or true.shape != values.shape or not true.any():
        raise DataError(
            f"{int(true.sum())} of {true.shape} clips sound on screen, with {values.shape} confidences",
            expected="one of each, and at least one that sounds",
        )
    return values, right, true
