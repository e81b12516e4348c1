"""Accuracy, mAP, AUC, d-prime and modality confusion against scikit-learn, SciPy and hand-worked cases."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import norm
from sklearn.metrics import average_precision_score, roc_auc_score, top_k_accuracy_score

from seehear.errors import DataError, UsageError
from seehear.metrics import (
    area_under_roc,
    average_precision,
    chance_top_k,
    d_prime,
    mean_area_under_roc,
    mean_average_precision,
    modality_confusion,
    modality_gap,
    top_k_correct,
)

TIED = hnp.arrays(np.float64, st.integers(2, 20), elements=st.integers(-3, 3).map(float))


@settings(deadline=None)
@given(TIED, st.integers(0, 9999))
def test_ap_and_auc_equal_scikit_learn_with_ties(scores, seed):
    relevant = np.random.default_rng(seed).random(len(scores)) < 0.5
    relevant[:2] = [True, False]
    assert average_precision(scores, relevant) == pytest.approx(average_precision_score(relevant, scores), abs=1e-12)
    assert area_under_roc(scores, relevant) == pytest.approx(roc_auc_score(relevant, scores), abs=1e-12)


def test_constant_scores_give_chance():
    relevant = np.array([True, False, False, False])
    assert average_precision(np.zeros(4), relevant) == 0.25
    assert area_under_roc(np.zeros(4), relevant) == 0.5


def test_classes_without_positives_are_left_out_and_counted():
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=(30, 5)), (rng.random((30, 5)) < 0.3).astype(np.float32)
    labels[:, 1], labels[:, 3] = 0, 1
    present = [0, 2, 3, 4]
    found = mean_average_precision(scores, labels)
    assert (found.counted, found.excluded) == (4, 1)
    assert found.value == pytest.approx(
        average_precision_score(labels[:, present], scores[:, present], average="macro")
    )
    assert math.isnan(found.per_class[1])
    areas = mean_area_under_roc(scores, labels)
    assert (areas.counted, areas.excluded) == (3, 2)  # class 3 has no negatives
    assert areas.value == pytest.approx(roc_auc_score(labels[:, [0, 2, 4]], scores[:, [0, 2, 4]], average="macro"))


def test_no_class_with_positives_is_an_error():
    with pytest.raises(DataError, match="no class has the examples"):
        mean_average_precision(np.zeros((3, 2)), np.zeros((3, 2)))


@pytest.mark.parametrize("k", [1, 2, 4])
def test_top_k_equals_scikit_learn_without_ties(k):
    rng = np.random.default_rng(1)
    scores, classes = rng.normal(size=(200, 5)), rng.integers(0, 5, 200)
    found = top_k_correct(scores, np.eye(5)[classes], k).mean()
    assert found == pytest.approx(top_k_accuracy_score(classes, scores, k=k, labels=range(5)))


def test_constant_scores_are_never_correct_unless_all_classes_may_be_named():
    labels = np.eye(4)
    assert top_k_correct(np.zeros((4, 4)), labels, 3).mean() == 0.0
    assert top_k_correct(np.zeros((4, 4)), labels, 4).mean() == 1.0


def test_a_hit_is_any_of_several_labels():
    scores = np.array([[0.9, 0.5, 0.1], [0.9, 0.5, 0.1]])
    labels = np.array([[0, 1, 1], [1, 0, 1]])
    assert top_k_correct(scores, labels, 1).tolist() == [False, True]
    assert top_k_correct(scores, labels, 2).tolist() == [True, True]


@pytest.mark.parametrize("k", [1, 2, 3, 7])
def test_chance_of_top_k_equals_simulation(k):
    rng = np.random.default_rng(2)
    labels = np.zeros((40, 6))
    for row in labels:
        row[rng.permutation(6)[: rng.integers(1, 4)]] = 1
    simulated = np.mean([top_k_correct(rng.random((40, 6)), labels, k).mean() for _ in range(2000)])
    assert chance_top_k(labels, k, 6) == pytest.approx(simulated, abs=0.01)
    assert chance_top_k(np.eye(6), 1, 6) == pytest.approx(1 / 6)


@given(st.floats(0.001, 0.999))
def test_d_prime_is_scipys(area):
    assert d_prime(area) == pytest.approx(math.sqrt(2) * norm.ppf(area), abs=1e-7)


def test_d_prime_at_the_ends():
    assert d_prime(1.0) == math.inf
    assert d_prime(0.0) == -math.inf
    assert d_prime(0.5) == 0.0
    with pytest.raises(UsageError, match="area"):
        d_prime(1.5)


def test_modality_confusion_by_hand():
    audio = [True, True, False, False, True]
    image = [True, False, True, False, True]
    both = [False, False, False, False, True]
    found = modality_confusion(audio, image, both)
    assert (found.audio, found.image, found.each) == (2 / 5, 2 / 5, 1 / 5)
    with pytest.raises(DataError, match="the same clips"):
        modality_confusion(audio, image, both[:4])


def test_modality_gap_of_opposite_and_equal_points():
    up, down = np.tile([[0.0, 2.0]], (5, 1)), np.tile([[0.0, -0.1]], (3, 1))
    assert modality_gap(up, down) == pytest.approx(2.0)
    assert modality_gap(up, up[:2]) == 0.0
    with pytest.raises(DataError, match="2 wide"):
        modality_gap(up, np.eye(3))


def test_scores_that_are_not_finite_are_refused_without_warnings():
    scores = np.full((2, 2), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for figure in (top_k_correct, mean_average_precision, mean_area_under_roc):
            with pytest.raises(DataError, match="NaN"):
                figure(scores, np.eye(2))


def test_other_bad_arguments_are_refused():
    with pytest.raises(DataError, match="no label"):
        top_k_correct(np.eye(2), [[1, 0], [0, 0]])
    with pytest.raises(DataError, match="3 classes"):
        top_k_correct(np.eye(2), np.eye(2, 3))
    with pytest.raises(DataError, match="3 classes"):
        mean_average_precision(np.eye(2), np.eye(2, 3))
    with pytest.raises(UsageError, match="k is -1"):
        top_k_correct(np.eye(2), np.eye(2), -1)
    with pytest.raises(DataError, match="0 positives"):
        average_precision([0.1, 0.2], [False, False])
    with pytest.raises(DataError, match="2 positives"):
        area_under_roc([0.1, 0.2], [True, True])
