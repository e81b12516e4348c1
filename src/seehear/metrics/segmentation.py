"""Masks of what sounds against the true ones: IoU of foreground and background, and F with beta^2 = 0.3.

Source: AVSBench (Zhou et al., arXiv 2207.05042) and DeepAVFusion's evaluation (arXiv 2312.01017, released code). A
pixel is foreground above a score of 0.5. `foreground_iou` is what AVSBench calls mIoU; the release's `miou` is
`mean_iou`, the mean of foreground and background, which is far higher where most of a picture is background. F is the
largest over 256 thresholds of each picture, then averaged (the release); `f_curve` averages first and takes the largest
then (AVSBench).

A picture without true foreground has no IoU of it: such pictures are skipped, and counted.

Legend: N pictures, H W picture.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seehear.errors import DataError

BETA_SQUARED = 0.3
THRESHOLDS = np.linspace(0, 1, 256)


@dataclass(frozen=True)
class Segmentation:
    """Means over the pictures that were counted, each from 0 to 1.

    Attributes:
        foreground_iou: of what sounds.
        background_iou: of the rest.
        f: F, largest threshold of each picture.
        f_curve: F at the best one threshold for all pictures.
        counted: pictures.
        skipped: pictures where nothing sounds.
    """

    foreground_iou: float
    background_iou: float
    f: float
    f_curve: float
    counted: int
    skipped: int

    @property
    def mean_iou(self) -> float:
        """Mean of foreground and background: the released code's `miou`."""
        return (self.foreground_iou + self.background_iou) / 2


def segmentation(scores: ArrayLike, masks: ArrayLike) -> Segmentation:
    """Figures of `scores [N, H, W]` from 0 to 1 against `masks [N, H, W]` of zeros and ones.

    Raises:
        DataError: if shapes differ, scores leave 0 to 1 or are not finite, masks are not binary, or nothing sounds in
            any picture.
    """
    predicted, true = _checked(scores, masks)
    sounding = true.any(axis=(1, 2))
    if not sounding.any():
        raise DataError(f"nothing sounds in any of {len(true)} pictures", expected="some true foreground")
    predicted, true = predicted[sounding], true[sounding]
    shown = predicted > 0.5
    curves = np.stack([f_curve(one, mask) for one, mask in zip(predicted, true, strict=True)])
    return Segmentation(
        float(_iou(shown, true).mean()),
        float(_iou(~shown, ~true).mean()),
        float(curves.max(axis=1).mean()),
        float(curves.mean(axis=0).max()),
        int(sounding.sum()),
        int((~sounding).sum()),
    )


def f_curve(scores: NDArray[np.float64], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """F of one picture at each of the 256 thresholds t, a pixel of `scores [H, W]` being foreground from t on."""
    passed = np.searchsorted(THRESHOLDS, scores, side="right")  # how many thresholds a pixel reaches

    def reached(which: NDArray) -> NDArray:
        counts = np.bincount(which, minlength=len(THRESHOLDS) + 1)
        return np.cumsum(counts[::-1])[::-1][1:]

    hits, shown, true = reached(passed[mask]), reached(passed.ravel()), int(mask.sum())
    precision, recall = hits / np.maximum(shown, 1), hits / true
    below = BETA_SQUARED * precision + recall
    return (1 + BETA_SQUARED) * precision * recall / np.where(below > 0, below, 1.0)


def _iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> NDArray[np.float64]:
    """`[N]`; of two empty masks 1."""
    both, either = (one & other).sum(axis=(1, 2)), (one | other).sum(axis=(1, 2))
    return np.where(either > 0, both / np.maximum(either, 1), 1.0)


def _checked(scores: ArrayLike, masks: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    predicted, true = np.asarray(scores, dtype=np.float64), np.asarray(masks)
    if predicted.ndim != 3 or predicted.shape != true.shape or not predicted.size:
        raise DataError(f"scores {predicted.shape} for masks {true.shape}", expected="[N, H, W], some of both")
    if not ((predicted >= 0) & (predicted <= 1)).all():
        raise DataError("scores beyond 0 and 1, or NaN", expected="probabilities", cause="logits without a sigmoid")
    if not np.isin(true, (0, 1)).all():
        raise DataError("masks with values besides 0 and 1", expected="zeros and ones", cause="numbers of classes")
    return predicted, true.astype(bool)
