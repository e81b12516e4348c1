"""Localisation of sounds: consensus truth, cIoU at half coverage, the share of hits, its area, pointing, and ceilings.

Source: the protocol of Senocak et al. (CVPR 2018) and Chen et al. (CVPR 2021) as EZ-VSL's released code (arXiv
2203.09324) carries it out. A map M is cut where it covers half of the picture, Q = {M >= t}, and

    cIoU = sum(Q G) / (sum(G) + sum(Q where G = 0)),

with a truth G from 0 to 1. What papers call CIoU is the share of pictures with a cIoU of 0.5 or more, their AUC the
area under that share over 21 thresholds from 0 to 1. A truth that covers less than a quarter of the picture cannot
reach 0.5 so: `best_at_coverage` says what can be reached. The adaptive threshold covers as many pixels as the truth.

Legend: H W picture, A boxes, N pictures. Boxes are shares of the picture from its top left corner: x0, y0, x1, y1.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seehear.errors import DataError

Map = NDArray[np.float64]
Mask = NDArray[np.bool_]
SIDE = 224  # pixels of the published truth and maps
COVERAGE = 0.5
HIT = 0.5
THRESHOLDS = np.arange(21) * 0.05


# --------------------------------------------------------------------------------------------------------------- truth
def union_truth(boxes: ArrayLike, size: tuple[int, int] = (SIDE, SIDE)) -> Map:
    """VGG-SS's rule: 1 in any of the boxes `[A, 4]`, 0 elsewhere; `[H, W]`.

    Boxes are cut at the picture's edges, and corners rounded down to pixels.

    Raises:
        DataError: if the boxes are no finite `[A, 4]`.
    """
    return (_counts(boxes, size) > 0).astype(np.float64)


def consensus_truth(boxes: ArrayLike, size: tuple[int, int] = (SIDE, SIDE)) -> Map:
    """Flickr-SoundNet's rule: 1 where two of the boxes `[A, 4]` or more lie, 0.5 where one does; `[H, W]`.

    Raises:
        DataError: if the boxes are no finite `[A, 4]`.
    """
    return np.minimum(_counts(boxes, size) / 2, 1.0)


def _counts(boxes: ArrayLike, size: tuple[int, int]) -> Map:
    """How many boxes lie over each pixel."""
    found = np.asarray(boxes, np.float64)
    if found.ndim != 2 or found.shape[1] != 4 or not np.isfinite(found).all():
        raise DataError(f"boxes are {found.shape}", expected="finite [A, 4]: x0, y0, x1, y1 of each")
    H, W = size
    corners = (found.clip(0, 1) * (W, H, W, H)).astype(np.int64)
    counts = np.zeros(size)
    for x0, y0, x1, y1 in corners:
        counts[y0:y1, x0:x1] += 1
    return counts


# --------------------------------------------------------------------------------------------------------------- masks
def covering(heat: ArrayLike, coverage: float = COVERAGE) -> Mask:
    """The highest `coverage` of a map `[H, W]`, bool: all that reaches the value there, so ties make it larger.

    Raises:
        DataError: if the map is no finite `[H, W]`, or the coverage not above 0 and at most 1.
    """
    values = _map(heat, "the map")
    if not 0 < coverage <= 1:
        raise DataError(f"a coverage of {coverage}", expected="above 0, at most 1")
    return _highest(values, values.size - int((1 - coverage) * values.size))


def covering_as_much(heat: ArrayLike, truth: ArrayLike) -> Mask:
    """The adaptive threshold: as many of the highest pixels of a map `[H, W]` as the truth `[H, W]` adds up to.

    Raises:
        DataError: if one is no finite `[H, W]`, they differ in size, or the truth is empty.
    """
    values, true = _pair(heat, truth)
    return _highest(values, max(1, round(float(true.sum()))))


def _highest(values: Map, count: int) -> Mask:
    return values >= np.partition(values, values.size - count, axis=None)[values.size - count]


# ------------------------------------------------------------------------------------------------------------- figures
def ciou(mask: ArrayLike, truth: ArrayLike) -> float:
    """Consensus intersection over union of a bool `mask [H, W]` with a `truth [H, W]` from 0 to 1.

    Raises:
        DataError: if one is no finite `[H, W]`, they differ in size, or the truth is empty.
    """
    chosen, true = _pair(mask, truth)
    return float((chosen * true).sum() / (true.sum() + chosen[true == 0].sum()))


def pointing(heat: ArrayLike, truth: ArrayLike) -> float:
    """Whether the highest pixel of a map lies where there is truth: 1 or 0; of several equal ones the share that does.

    Raises:
        DataError: if one is no finite `[H, W]`, they differ in size, or the truth is empty.
    """
    values, true = _pair(heat, truth)
    return float((true[values == values.max()] > 0).mean())


def best_at_coverage(truth: ArrayLike, coverage: float = COVERAGE) -> float:
    """The highest cIoU that a mask of that many pixels can have: those of highest truth, then of none.

    Of a truth of 0 and 1 it is min(|G|, A) / max(|G|, A), with A the covered pixels.

    Raises:
        DataError: if the truth is no finite `[H, W]` or empty, or the coverage not above 0 and at most 1.
    """
    true = _map(truth, "the truth")
    _pair(true, true)
    if not 0 < coverage <= 1:
        raise DataError(f"a coverage of {coverage}", expected="above 0, at most 1")
    count = true.size - int((1 - coverage) * true.size)
    best = np.sort(true, axis=None)[::-1][:count]
    return float(best.sum() / (true.sum() + (best == 0).sum()))


def hit_share(overlaps: ArrayLike, least: float = HIT) -> float:
    """CIoU: the share of pictures whose overlap, of `overlaps [N]`, is `least` or more.

    Raises:
        DataError: if the overlaps are no finite `[N]` from 0 to 1.
    """
    return float((_overlaps(overlaps) >= least).mean())


def hit_area(overlaps: ArrayLike) -> float:
    """AUC: area under the share of pictures that reach a threshold, over 21 thresholds from 0 to 1, by trapezia.

    Raises:
        DataError: if the overlaps are no finite `[N]` from 0 to 1.
    """
    found = _overlaps(overlaps)
    return float(np.trapezoid([(found >= least).mean() for least in THRESHOLDS], THRESHOLDS))


def centre_disc(size: tuple[int, int] = (SIDE, SIDE), coverage: float = COVERAGE) -> Map:
    """A map `[H, W]` that falls from the picture's middle: cut at `coverage`, it is a disc of that area."""
    H, W = size
    rows, columns = np.arange(H) + 0.5 - H / 2, np.arange(W) + 0.5 - W / 2
    return -np.hypot(rows[:, None], columns)


# -------------------------------------------------------------------------------------------------------------- checks
def _map(values: ArrayLike, what: str) -> Map:
    found = np.asarray(values, np.float64)
    if found.ndim != 2 or not found.size or not np.isfinite(found).all():
        raise DataError(f"{what} is {found.shape}", expected="finite numbers, [H, W]")
    return found


def _pair(values: ArrayLike, truth: ArrayLike) -> tuple[Map, Map]:
    found, true = _map(values, "the map"), _map(truth, "the truth")
    if found.shape != true.shape:
        raise DataError(f"a map {found.shape} and a truth {true.shape}", expected="one size")
    if true.min() < 0 or true.max() > 1 or not true.any():
        raise DataError(f"the truth goes from {true.min():g} to {true.max():g}", expected="0 to 1, and something of it")
    return found, true


def _overlaps(values: ArrayLike) -> NDArray[np.float64]:
    found = np.asarray(values, np.float64)
    if found.ndim != 1 or not found.size or not ((found >= 0) & (found <= 1)).all():
        raise DataError(f"overlaps are {found.shape}", expected="numbers from 0 to 1, [N]")
    return found
