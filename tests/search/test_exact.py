"""Exact search: the order of a slow loop, ties by key, and the ranks of the retrieval evaluation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seehear.errors import UsageError
from seehear.metrics import paired_ranks
from seehear.search import exact
from seehear.search.exact import Exact


def units(count: int, width: int, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(count, width))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def slowly(values: np.ndarray, query: np.ndarray, keys: np.ndarray, k: int) -> list[int]:
    """Sorted by cosine in float64 one by one, then by key."""
    scores = []
    for row in values.astype(np.float64):
        scores.append(float(row @ query / np.linalg.norm(row) / np.linalg.norm(query)))
    return sorted(range(len(values)), key=lambda i: (-round(scores[i], 11), keys[i]))[:k]


@given(
    count=st.integers(1, 60),
    width=st.integers(2, 9),
    k=st.integers(1, 70),
    copies=st.integers(0, 5),
    seed=st.integers(0, 99),
)
def test_the_nearest_are_those_of_a_slow_loop(count: int, width: int, k: int, copies: int, seed: int) -> None:
    values = units(count, width, seed)
    values = np.concatenate([values, np.repeat(values[:1], copies, axis=0)])
    rng = np.random.default_rng(seed)
    keys, queries = rng.permutation(len(values)), units(3, width, seed + 100)
    for query, found in zip(queries, Exact(values, keys).search(queries, k), strict=True):
        assert found.places.tolist() == slowly(values, query.astype(np.float64), keys, k)
        assert np.all(np.diff(found.scores) <= 1e-12)


def test_chunks_and_queries_together_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    values, queries = units(500, 16), units(7, 16, 1)
    whole = Exact(values).search(queries, 9)
    monkeypatch.setattr(exact, "_CHUNK_ENTRIES", 7 * 13)
    monkeypatch.setattr(exact, "_PAIR_ENTRIES", 40)
    for query, one in zip(queries, whole, strict=True):
        again = Exact(values).search(query, 9)[0]
        assert (again.places == one.places).all()
        np.testing.assert_allclose(again.scores, one.scores, atol=1e-12)


def test_what_float32_cannot_tell_apart_is_ordered_in_float64() -> None:
    query = np.array([1.0, 0.0], np.float32)
    angles = np.array([1.5e-4, 0.5e-4, 1e-4, 2e-4])  # cosines 1 - 1.1e-8, 1 - 1.3e-9, ...: all 1 in float32
    values = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert len(set((values @ query).tolist())) == 1
    assert Exact(values).search(query, 4)[0].places.tolist() == [1, 2, 0, 3]


def test_equal_vectors_go_by_key_whatever_their_place() -> None:
    values, keys = np.repeat(units(1, 8), 6, axis=0), np.array([4, 2, 5, 0, 1, 3])
    assert Exact(values, keys).search(values[0], 6)[0].places.tolist() == [3, 4, 1, 5, 0, 2]
    assert Exact(values, keys).search(values[0], 2)[0].places.tolist() == [3, 4]


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_only_what_is_allowed_is_found(share: float) -> None:
    values, query = units(300, 8), units(1, 8, 5)[0]
    allowed = np.random.default_rng(0).random(300) < share
    found = Exact(values).search(query, 300, allowed)[0]
    assert sorted(found.places.tolist()) == np.flatnonzero(allowed).tolist()
    every = Exact(values).search(query, 300)[0].places
    assert found.places.tolist() == [place for place in every if allowed[place]]


def test_nothing_allowed_and_nothing_there_give_nothing() -> None:
    values, query = units(5, 4), units(1, 4)[0]
    assert len(Exact(values).search(query, 3, np.zeros(5, bool))[0].places) == 0
    assert len(Exact(values[:0]).search(query, 3)[0].places) == 0


def test_places_are_the_ranks_of_the_retrieval_evaluation() -> None:
    one = units(400, 12)
    other = one + 0.8 * units(400, 12, 1)
    forward, backward = paired_ranks(one, other)
    found = Exact(other.astype(np.float32)).search(one, 400)
    back = Exact(one).search(other.astype(np.float32), 400)
    for row in range(400):
        assert found[row].places.tolist().index(row) + 1 == forward[row]
        assert back[row].places.tolist().index(row) + 1 == backward[row]


def test_of_tied_clips_the_evaluation_counts_all_as_better() -> None:
    values = np.repeat(units(1, 8), 4, axis=0)
    assert paired_ranks(values, values)[0].tolist() == [4, 4, 4, 4]
    assert [found.places.tolist().index(i) + 1 for i, found in enumerate(Exact(values).search(values, 4))] == [
        1,
        2,
        3,
        4,
    ]


@pytest.mark.parametrize(("k", "width", "says"), [(0, 4, "k is 0"), (3, 5, "5 wide")])
def test_what_cannot_be_asked_is_refused(k: int, width: int, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Exact(units(5, 4)).search(units(1, width), k)
