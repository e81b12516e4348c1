"""Localisation figures: hand-made maps, a slow reference pixel by pixel, properties, ceilings, and negatives."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seehear.errors import DataError
from seehear.metrics.localization import (
    best_at_coverage,
    centre_disc,
    ciou,
    consensus_truth,
    covering,
    covering_as_much,
    hit_area,
    hit_share,
    pointing,
    union_truth,
)
from seehear.metrics.localization_negatives import detection, false_positives

SHAPES = st.tuples(st.integers(1, 7), st.integers(1, 7))
SOFT = st.sampled_from([0.0, 0.5, 1.0])


def _truths(shape: tuple[int, int]) -> st.SearchStrategy:
    return arrays(float, shape, elements=SOFT).filter(np.any)


# ------------------------------------------------------------------------------------------------- hand-made maps
def test_half_the_picture_found_is_1() -> None:
    truth = np.zeros((4, 6))
    truth[:, :3] = 1
    assert covering(truth + 0.1 * np.arange(24).reshape(4, 6) / 24).tolist() == (truth > 0).tolist()
    assert ciou(truth > 0, truth) == 1.0
    assert ciou(truth == 0, truth) == 0.0
    assert best_at_coverage(truth) == 1.0


def test_soft_truth_counts_half_and_is_no_false_positive() -> None:
    """4 x 4, a column of 1 and one of 0.5: both are 6 over 6; the first and an empty one 4 over 6 + 4."""
    truth = np.zeros((4, 4))
    truth[:, 0], truth[:, 1] = 1, 0.5
    mask = np.zeros((4, 4), bool)
    mask[:, :2] = True
    assert ciou(mask, truth) == 1.0
    assert ciou(mask[:, [0, 2, 1, 3]], truth) == pytest.approx(4 / 10)
    assert ciou(np.ones((4, 4)), truth) == pytest.approx(6 / 14)
    assert best_at_coverage(truth) == 1.0
    assert best_at_coverage(truth, 0.25) == pytest.approx(4 / 6)


def test_a_truth_below_a_quarter_cannot_be_hit_at_half_coverage() -> None:
    truth = np.zeros((20, 20))
    truth[:9, :11] = 1  # 99 of 400
    assert best_at_coverage(truth) == pytest.approx(99 / 200)
    truth[9, 0] = 1
    assert best_at_coverage(truth) == pytest.approx(0.5)
    truth[:] = 1
    assert best_at_coverage(truth) == pytest.approx(0.5)


def test_a_tied_map_covers_more_and_the_constant_one_all() -> None:
    assert covering(np.zeros((4, 4))).all()
    assert covering(np.array([[0.0, 1.0, 1.0, 1.0]])).tolist() == [[False, True, True, True]]
    assert covering_as_much(np.array([[3.0, 2.0, 1.0, 0.0]]), np.array([[0, 0, 1, 1]])).tolist() == [[1, 1, 0, 0]]


def test_boxes_become_truth_as_published() -> None:
    """Flickr's coordinates c of 256 pixels become int(224 c / 256); two annotators agree on the overlap."""
    boxes = np.array([[0, 0, 129, 256], [64, 0, 255, 100]]) / 256
    found = consensus_truth(boxes)
    assert found.shape == (224, 224)
    assert int(224 * 129 / 256) == 112
    assert int(224 * 255 / 256) == 223
    assert found[0, [0, 55, 56, 111, 112, 222, 223]].tolist() == [0.5, 0.5, 1.0, 1.0, 0.5, 0.5, 0.0]
    assert found[86:88, 60].tolist() == [1.0, 0.5]
    three = consensus_truth(np.concatenate([boxes, boxes]))
    assert set(np.unique(three)) == {0.0, 1.0}
    union = union_truth([[-0.2, 0.25, 0.5, 1.7], [0.25, 0.5, 0.75, 0.5]], (8, 4))
    assert union.sum() == 2 * 6
    assert union[2:, :2].all()


def test_pointing_at_ties_is_the_share_of_them() -> None:
    truth = np.array([[1.0, 0.5, 0.0, 0.0]])
    assert pointing([[0.1, 0.9, 0.3, 0.2]], truth) == 1.0
    assert pointing([[0.1, 0.2, 0.3, 0.2]], truth) == 0.0
    assert pointing([[1.0, 0.2, 1.0, 1.0]], truth) == pytest.approx(1 / 3)


def test_shares_and_areas_by_hand() -> None:
    assert hit_share([0.5, 0.49, 1.0, 0.0]) == 0.5
    assert hit_area([1.0, 1.0]) == pytest.approx(1.0)
    assert hit_area([0.0]) == pytest.approx(0.025)  # the first trapezium: 1 at 0, 0 from 0.05 on
    assert hit_area([0.52]) == pytest.approx(0.5 + 0.025)


def test_the_disc_has_half_the_area_and_lies_in_the_middle() -> None:
    disc = covering(centre_disc((224, 224)))
    assert disc.mean() == pytest.approx(0.5, abs=0.002)
    rows, columns = np.nonzero(disc)
    assert rows.mean() == pytest.approx(111.5)
    assert columns.mean() == pytest.approx(111.5)
    assert np.hypot(rows - 111.5, columns - 111.5).max() == pytest.approx(224 * (0.5 / np.pi) ** 0.5, abs=1)


# ------------------------------------------------------------------------------------------------- a slow reference
def _slow_ciou(heat: np.ndarray, truth: np.ndarray) -> float:
    flat = sorted(heat.flatten().tolist())
    threshold = flat[int(0.5 * len(flat))]
    above = total = wrong = 0.0
    for value, true in zip(heat.flatten(), truth.flatten(), strict=True):
        total += true
        if value >= threshold:
            above += true
            wrong += true == 0
    return above / (total + wrong)


@given(st.data(), SHAPES)
def test_ciou_is_the_slow_one_and_never_above_the_ceiling(data: st.DataObject, shape: tuple[int, int]) -> None:
    truth = data.draw(_truths(shape))
    heat = data.draw(arrays(float, shape, elements=st.floats(-5, 5, width=16)))
    found = ciou(covering(heat), truth)
    assert found == pytest.approx(_slow_ciou(heat, truth))
    distinct = np.random.default_rng(0).permutation(heat.size).reshape(shape)
    assert ciou(covering(distinct), truth) <= best_at_coverage(truth) + 1e-12
    assert ciou(covering(truth + distinct / (2.1 * distinct.size)), truth) == pytest.approx(best_at_coverage(truth))


@given(st.data(), SHAPES)
def test_binary_ceilings_have_a_closed_form(data: st.DataObject, shape: tuple[int, int]) -> None:
    truth = data.draw(arrays(float, shape, elements=st.sampled_from([0.0, 1.0])).filter(np.any))
    covered, own = truth.size - truth.size // 2, truth.sum()
    assert best_at_coverage(truth) == pytest.approx(min(own, covered) / max(own, covered))
    assert ciou(covering_as_much(truth, truth), truth) == 1.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_the_area_is_the_slow_one(overlaps: list[float]) -> None:
    shares = [sum(o >= 0.05 * k for o in overlaps) / len(overlaps) for k in range(21)]
    slow = sum((a + b) / 2 * 0.05 for a, b in pairwise(shares))
    assert hit_area(overlaps) == pytest.approx(slow)


# ------------------------------------------------------------------------------------------------- negatives
def test_detection_by_hand() -> None:
    """Down the confidences: found, silent, missed place, found, silent."""
    result = detection([5, 4, 3, 2, 1], [True, False, False, True, True], [True, False, True, True, False])
    precision, recall = [1, 1 / 2, 1 / 3, 2 / 4, 2 / 5], [1 / 3, 1 / 3, 1 / 2, 1, 1]
    steps = np.diff(recall, prepend=0)
    assert result.average_precision == pytest.approx(float(np.dot(precision, steps)))
    assert result.best_f1 == pytest.approx(2 * 0.5 * 1 / 1.5)
    assert result.accuracy == pytest.approx(2 / 5)


def _slow_detection(confidences, found, sounding) -> tuple[float, float, float]:
    average, before, best, last = 0.0, 0.0, 0.0, 0.0
    for threshold in sorted(set(confidences), reverse=True):
        rows = list(zip(confidences, found, sounding, strict=True))
        tp = sum(c >= threshold and f and s for c, f, s in rows)
        fp = sum(c >= threshold and not (f and s) for c, f, s in rows)
        fn = sum(c < threshold and s for c, f, s in rows)
        last, recall = tp / (tp + fp), tp / (tp + fn) if tp + fn else 0.0
        average, before = average + last * (recall - before), recall
        best = max(best, 2 * last * recall / (last + recall) if last + recall else 0.0)
    return average, best, last


@given(
    st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.booleans()), min_size=1).filter(
        lambda r: any(s for *_, s in r)
    )
)
def test_detection_is_the_slow_one(rows: list[tuple[int, bool, bool]]) -> None:
    confidences, found, sounding = zip(*rows, strict=True)
    result = detection(confidences, found, sounding)
    assert (result.average_precision, result.best_f1, result.accuracy) == pytest.approx(
        _slow_detection(confidences, found, sounding)
    )


def test_false_positives_at_a_kept_share() -> None:
    confidences, sounding = np.arange(20.0), np.arange(20) >= 10
    assert false_positives(confidences, sounding) == 0.0
    assert false_positives(-confidences, sounding) == 1.0
    assert false_positives(np.zeros(20), sounding) == 1.0
    draws = np.random.default_rng(0).normal(size=20_000)
    assert false_positives(draws, np.arange(20_000) % 2 == 0) == pytest.approx(0.9, abs=0.02)


# ------------------------------------------------------------------------------------------------- refused
@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ciou(np.ones((2, 2)), np.zeros((2, 2))), "something of it"),
        (lambda: ciou(np.ones((2, 2)), np.ones((2, 3))), "one size"),
        (lambda: ciou(np.ones((2, 2)), np.full((2, 2), 2.0)), "from 2 to 2"),
        (lambda: covering(np.full((2, 2), np.nan)), "finite"),
        (lambda: covering(np.ones((2, 2)), 0.0), "a coverage of 0"),
        (lambda: hit_share([]), "overlaps"),
        (lambda: hit_area([1.5]), "from 0 to 1"),
        (lambda: union_truth([0, 0, 1, 1]), "expected finite"),
        (lambda: detection([1.0], [True], [False]), "at least one that sounds"),
        (lambda: detection([np.nan], [True], [True]), "NaN"),
        (lambda: false_positives([1.0, 2.0], [True, True]), "some clips without"),
    ],
)
def test_what_has_no_figure_is_refused(call, says: str) -> None:
    with pytest.raises(DataError, match=says):
        call()
