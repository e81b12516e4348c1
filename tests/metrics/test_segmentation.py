"""Segmentation figures against slow loops over pixels and thresholds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seehear.errors import DataError
from seehear.metrics.segmentation import THRESHOLDS, f_curve, segmentation


def _slow_iou(shown, true):
    both = sum(a and b for a, b in zip(shown.flat, true.flat, strict=True))
    either = sum(a or b for a, b in zip(shown.flat, true.flat, strict=True))
    return both / either if either else 1.0


def _slow_f(scores, mask):
    curve = []
    for threshold in THRESHOLDS:
        shown = scores >= threshold
        hits = int((shown & mask).sum())
        precision, recall = (hits / shown.sum() if shown.any() else 0.0), hits / mask.sum()
        below = 0.3 * precision + recall
        curve.append(1.3 * precision * recall / below if below else 0.0)
    return curve


@given(seed=st.integers(0, 1000), coarse=st.booleans())
def test_figures_are_the_slow_loops(seed, coarse):
    random = np.random.default_rng(seed)
    scores, masks = random.random((3, 4, 5)), random.random((3, 4, 5)) < 0.4
    if coarse:
        scores = np.round(scores * 255) / 255  # on thresholds
    masks[0, 0, 0] = True
    masks[2] = False
    found, kept = segmentation(scores, masks), [i for i in range(3) if masks[i].any()]
    assert (found.counted, found.skipped) == (len(kept), 3 - len(kept))
    foreground = np.mean([_slow_iou(scores[i] > 0.5, masks[i]) for i in kept])
    background = np.mean([_slow_iou(scores[i] <= 0.5, ~masks[i]) for i in kept])
    assert found.foreground_iou == pytest.approx(foreground)
    assert found.mean_iou == pytest.approx((foreground + background) / 2)
    curves = np.array([_slow_f(scores[i], masks[i]) for i in kept])
    np.testing.assert_allclose([f_curve(scores[i], masks[i]) for i in kept], curves)
    assert found.f == pytest.approx(curves.max(axis=1).mean())
    assert found.f_curve == pytest.approx(curves.mean(axis=0).max())
    assert found.f >= found.f_curve - 1e-12


def test_perfect_empty_and_full_predictions():
    masks = np.zeros((1, 10, 10), dtype=int)
    masks[0, :2] = 1
    perfect = segmentation(masks.astype(float), masks)
    assert (perfect.foreground_iou, perfect.background_iou, perfect.f) == (1.0, 1.0, 1.0)
    nothing = segmentation(np.zeros((1, 10, 10)), masks)
    assert (nothing.foreground_iou, nothing.background_iou) == (0.0, 0.8)
    assert nothing.mean_iou == 0.4  # why the two means must not be mixed up
    everything = segmentation(np.ones((1, 10, 10)), masks)
    assert everything.foreground_iou == 0.2
    assert everything.f == pytest.approx(1.3 * 0.2 / (0.3 * 0.2 + 1))


@pytest.mark.parametrize(
    ("scores", "masks", "match"),
    [
        (np.zeros((1, 2, 2)), np.zeros((1, 2, 2)), "nothing sounds"),
        (np.full((1, 2, 2), 1.2), np.ones((1, 2, 2)), "sigmoid"),
        (np.full((1, 2, 2), np.nan), np.ones((1, 2, 2)), "NaN"),
        (np.zeros((1, 2, 2)), np.full((1, 2, 2), 2), "besides 0 and 1"),
        (np.zeros((2, 2)), np.zeros((2, 2)), r"\[N, H, W\]"),
        (np.zeros((0, 2, 2)), np.zeros((0, 2, 2)), r"\[N, H, W\]"),
    ],
)
def test_what_is_no_prediction_is_refused(scores, masks, match):
    with pytest.raises(DataError, match=match):
        segmentation(scores, masks)
