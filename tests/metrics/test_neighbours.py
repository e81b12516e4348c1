"""Neighbour agreement and the kNN vote against loops and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.neighbors import KNeighborsClassifier

from seehear.errors import DataError, UsageError
from seehear.metrics import (
    chance_agreement,
    knn_vote,
    label_groups,
    neighbour_agreement,
    neighbour_weights,
    oracle_agreement,
    shares_label,
)


def one_hot(classes: np.ndarray, count: int) -> np.ndarray:
    return np.eye(count, dtype=np.float32)[classes]


def naive_precision(scores: np.ndarray, agrees: np.ndarray, k: int) -> float:
    nearest = sorted(range(len(scores)), key=lambda i: -scores[i])[:k]
    return float(np.mean([agrees[i] for i in nearest]))


@pytest.mark.parametrize("k", [1, 3, 100])
def test_agreement_equals_the_loop(k):
    rng = np.random.default_rng(0)
    queries, gallery = rng.normal(size=(20, 6)), rng.normal(size=(30, 6))
    query_labels, gallery_labels = rng.random((20, 4)) < 0.4, rng.random((30, 4)) < 0.4
    unit = gallery / np.linalg.norm(gallery, axis=1, keepdims=True)
    expected = []
    for query, labels in zip(queries, query_labels, strict=True):
        agrees = np.array([any(a and b for a, b in zip(labels, other, strict=True)) for other in gallery_labels])
        expected.append(naive_precision(unit @ query, agrees, k))
    found = neighbour_agreement(queries, gallery, query_labels, gallery_labels, k)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_query_is_not_its_own_neighbour():
    features = np.random.default_rng(1).normal(size=(12, 3))
    labels = one_hot(np.arange(12), 12)  # nobody shares a class
    assert neighbour_agreement(features, features, labels, labels, 1).mean() == 1.0
    assert neighbour_agreement(features, features, labels, labels, 1, np.arange(12)).mean() == 0.0


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 25), st.integers(1, 30), st.integers(0, 999), st.booleans())
def test_constant_embeddings_agree_exactly_by_chance(count, k, seed, exclude_self):
    labels = one_hot(np.random.default_rng(seed).integers(0, 3, count), 3)
    exclude = np.arange(count) if exclude_self else None
    constant = np.full((count, 5), 0.3, dtype=np.float32)
    agreement = neighbour_agreement(constant, constant, labels, labels, k, exclude).mean()
    assert agreement == pytest.approx(chance_agreement(labels, labels, exclude), abs=1e-12)


@given(
    hnp.arrays(np.int64, st.tuples(st.integers(1, 6), st.integers(1, 8)), elements=st.integers(-2, 2)),
    st.integers(1, 10),
)
def test_weights_are_the_mean_over_all_orders_of_the_ties(scores, k):
    """Score and then number of the tied candidates decide: averaged over random orders this is the weight."""
    weights = neighbour_weights(scores.astype(np.float64), k)
    for row, weight in zip(scores, weights, strict=True):
        last = np.sort(row)[::-1][min(k, len(row)) - 1]
        above, tied = int((row > last).sum()), int((row == last).sum())
        expected = np.where(row > last, 1.0, np.where(row == last, (min(k, len(row)) - above) / tied, 0.0))
        np.testing.assert_allclose(weight, expected, atol=1e-12)
        assert weight.sum() == pytest.approx(min(k, len(row)))


def test_agreement_never_passes_the_oracle_and_perfect_classes_reach_it():
    rng = np.random.default_rng(2)
    classes = rng.integers(0, 5, 40)
    labels = one_hot(classes, 5)
    for k in (1, 4, 30):
        ceiling = oracle_agreement(labels, labels, k, np.arange(40))
        perfect = neighbour_agreement(labels, labels, labels, labels, k, np.arange(40)).mean()
        noise = rng.normal(size=(40, 8))
        # after its own class, an oracle's ties with the other classes agree with nobody
        assert perfect == pytest.approx(ceiling)
        assert neighbour_agreement(noise, noise, labels, labels, k, np.arange(40)).mean() <= ceiling


@pytest.mark.parametrize("k", [1, 5, 17])
def test_vote_equals_scikit_learn_with_the_same_weights(k):
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(4, 6))
    train_classes, test_classes = rng.integers(0, 4, 80), rng.integers(0, 4, 50)
    train = centres[train_classes] + rng.normal(size=(80, 6))
    test = centres[test_classes] + rng.normal(size=(50, 6))
    temperature = 0.2
    oracle = KNeighborsClassifier(
        n_neighbors=k, metric="cosine", algorithm="brute", weights=lambda d: np.exp((1 - d) / temperature)
    ).fit(train, train_classes)
    votes = knn_vote(train, one_hot(train_classes, 4), test, k, temperature)
    np.testing.assert_allclose(votes, oracle.predict_proba(test), atol=1e-9)


def test_vote_of_constant_features_is_the_share_of_each_class():
    labels = one_hot(np.array([0, 0, 0, 1, 2]), 3)
    votes = knn_vote(np.ones((5, 2)), labels, np.ones((3, 2)), k=2)
    np.testing.assert_allclose(votes, np.tile([0.6, 0.2, 0.2], (3, 1)))


@settings(deadline=None, max_examples=20)
@given(st.integers(3, 25), st.integers(0, 500))
def test_order_of_the_items_does_not_matter(count, seed):
    rng = np.random.default_rng(seed)
    features = rng.integers(-1, 2, (count, 3)).astype(float)  # many ties
    labels = one_hot(rng.integers(0, 3, count), 3)
    order = rng.permutation(count)
    before = neighbour_agreement(features, features, labels, labels, 3, np.arange(count))
    after = neighbour_agreement(features[order], features[order], labels[order], labels[order], 3, np.arange(count))
    np.testing.assert_allclose(before[order], after, atol=1e-12)
    votes = knn_vote(features, labels, features, 3)
    np.testing.assert_allclose(votes, knn_vote(features[order], labels[order], features, 3), atol=1e-12)


def test_soft_labels_count_from_one_half():
    assert shares_label([[0.5, 0.4]], [[0.6, 0.0], [0.0, 1.0]]).tolist() == [[True, False]]


def test_label_groups_number_whole_label_sets():
    groups = label_groups([[1, 0], [1, 1], [0, 0], [1, 0], [0.9, 0.1]])
    assert groups[0] == groups[3] == groups[4]
    assert len(set(groups.tolist())) == 3


def test_bad_arguments_are_refused():
    eye = np.eye(3)
    with pytest.raises(UsageError, match="k is 0"):
        neighbour_agreement(eye, eye, eye, eye, 0)
    with pytest.raises(UsageError, match="temperature"):
        knn_vote(eye, eye, eye, 1, 0.0)
    with pytest.raises(DataError, match="no candidate"):
        neighbour_agreement(eye[:1], eye[:1], eye[:1], eye[:1], 1, np.array([0]))
    with pytest.raises(DataError, match="no candidate"):
        chance_agreement(eye[:1], eye[:1], np.array([0]))
    with pytest.raises(DataError, match="labels for 2 items"):
        neighbour_agreement(eye, eye, eye[:2], eye, 1)
    with pytest.raises(DataError, match="2 classes"):
        shares_label(eye[:, :2], eye)
    with pytest.raises(DataError, match="NaN"):
        knn_vote(eye * np.nan, eye, eye)
