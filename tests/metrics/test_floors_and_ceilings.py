"""Chance, class oracle and confidence bounds against simulation, closed forms and SciPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from seehear.errors import DataError, UsageError
from seehear.metrics import (
    chance_agreement,
    chance_median_rank,
    chance_recall,
    mean_lower_bound,
    median_rank,
    neighbour_agreement,
    oracle_agreement,
    oracle_median_rank,
    oracle_recall,
    recall_at,
    score_ranks,
    wilson_lower_bound,
)
from seehear.metrics.confidence import student_quantile


def unequal_classes() -> np.ndarray:
    return np.eye(4)[np.repeat([0, 1, 2, 3], [1, 3, 8, 20])]


@pytest.mark.parametrize("k", [1, 5, 10])
def test_chance_recall_equals_a_random_order(k):
    rng = np.random.default_rng(k)
    recalls = [recall_at(score_ranks(rng.random((30, 30)), np.arange(30)), k) for _ in range(300)]
    assert chance_recall(k, 30) == pytest.approx(np.mean(recalls), abs=0.01)


@pytest.mark.parametrize("k", [1, 5, 10])
def test_oracle_recall_equals_a_simulated_oracle(k):
    rng, labels = np.random.default_rng(k), unequal_classes()
    same = labels @ labels.T
    recalls = [recall_at(score_ranks(same + 0.5 * rng.random(same.shape), np.arange(32)), k) for _ in range(500)]
    assert oracle_recall(labels, k) == pytest.approx(np.mean(recalls), abs=0.01)


def test_oracle_median_rank_equals_a_simulated_oracle():
    rng, labels = np.random.default_rng(0), unequal_classes()
    same = labels @ labels.T
    ranks = [score_ranks(same + 0.5 * rng.random(same.shape), np.arange(32)) for _ in range(500)]
    assert oracle_median_rank(labels) == pytest.approx(median_rank(np.concatenate(ranks)), abs=0.5)


@pytest.mark.parametrize("size", [1, 2, 7, 10])
def test_one_class_leaves_the_oracle_at_chance(size):
    labels = np.ones((size, 1))
    assert oracle_median_rank(labels) == chance_median_rank(size)
    assert oracle_recall(labels, 5) == pytest.approx(chance_recall(5, size))


def test_eight_balanced_classes_put_the_oracle_at_eight_times_chance():
    labels = np.eye(8)[np.arange(200) % 8]
    assert oracle_recall(labels, 1) / chance_recall(1, 200) == pytest.approx(8)
    assert oracle_recall(labels, 10) / chance_recall(10, 200) == pytest.approx(8)


def test_oracle_tells_whole_label_sets_apart():
    labels = [[1, 0], [1, 1], [0, 1]]  # all share labels, none is equal to another
    assert oracle_recall(labels, 1) == 1.0


@pytest.mark.parametrize("exclude_self", [False, True])
def test_agreement_of_random_neighbours_is_chance(exclude_self):
    rng = np.random.default_rng(4)
    labels = (rng.random((25, 3)) < 0.4).astype(np.float32)
    exclude = np.arange(25) if exclude_self else None
    found = []
    for _ in range(400):
        queries, gallery = rng.normal(size=(25, 6)), rng.normal(size=(25, 6))
        found.append(neighbour_agreement(queries, gallery, labels, labels, 2, exclude).mean())
    assert chance_agreement(labels, labels, exclude) == pytest.approx(np.mean(found), abs=0.01)


def test_oracle_agreement_by_hand():
    labels = np.eye(2)[[0, 0, 0, 1]]
    # without themselves: three queries have 2 agreeing candidates of 3, one has none
    assert oracle_agreement(labels, labels, 1, np.arange(4)) == 3 / 4
    assert oracle_agreement(labels, labels, 2, np.arange(4)) == 3 / 4
    assert oracle_agreement(labels, labels, 10, np.arange(4)) == pytest.approx(3 / 4 * 2 / 3)
    assert oracle_agreement(labels, labels, 1) == 1.0


@given(st.integers(1, 400), st.data())
def test_wilson_equals_scipy(trials, data):
    successes = data.draw(st.integers(0, trials))
    oracle = stats.binomtest(successes, trials).proportion_ci(0.95, method="wilson").low
    assert wilson_lower_bound(successes / trials, trials) == pytest.approx(oracle, abs=1e-9)


@settings(deadline=None)
@given(st.integers(1, 60), st.floats(0.01, 0.99))
def test_student_quantile_equals_scipy(degrees, confidence):
    assert student_quantile(confidence, degrees) == pytest.approx(stats.t.ppf((1 + confidence) / 2, degrees), rel=1e-6)


def test_mean_lower_bound_equals_scipy():
    values = np.array([0.10, 0.14, 0.11, 0.16, 0.12])
    oracle = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))[0]
    assert mean_lower_bound(values) == pytest.approx(oracle)
    assert mean_lower_bound([0.3, 0.3]) == pytest.approx(0.3)


def test_wilson_bound_holds_for_means_of_shares():
    """Coverage: the bound lies above the true mean in at most about 2.5 % of repetitions."""
    rng = np.random.default_rng(0)
    true = 0.3
    above = [wilson_lower_bound(float(rng.beta(0.6, 1.4, 100).mean()), 100) > true for _ in range(2000)]
    assert np.mean(above) <= 0.035


def test_bad_arguments_are_refused():
    with pytest.raises(UsageError, match="k is 0"):
        chance_recall(0, 5)
    with pytest.raises(UsageError, match="gallery holds 0"):
        chance_median_rank(0)
    with pytest.raises(UsageError, match="k is 0"):
        oracle_recall(np.eye(2), 0)
    with pytest.raises(UsageError, match="k is 0"):
        oracle_agreement(np.eye(2), np.eye(2), 0)
    with pytest.raises(UsageError, match=r"share 1\.2"):
        wilson_lower_bound(1.2, 5)
    with pytest.raises(UsageError, match="0 degrees"):
        student_quantile(0.95, 0)
    with pytest.raises(DataError, match="at least two"):
        mean_lower_bound([0.5])
    with pytest.raises(DataError, match="NaN"):
        oracle_recall([[np.nan]], 1)
