"""The nearest vectors by cosine, exactly: a quick product in float32 finds who may be among them, float64 orders those.

A cosine in float32 is off by at most (D + 16) u, u = 2 ** -24 (Higham, "Accuracy and Stability of Numerical
Algorithms", 2002, sec. 3.1), so all that score within twice that of the k-th best are scored again. Scores nearer than
1e-12 are ties and go in the order of their keys, so results do not depend on chunks or threads. Without ties the place
of a clip is its rank in the retrieval evaluation (`metrics.paired_ranks`); of tied clips the evaluation counts all as
better than the true one, where a list must name one first.

Legend: Q queries, M vectors, D width, k results.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seehear.errors import UsageError
from seehear.metrics.arrays import TIE_TOLERANCE

_CHUNK_ENTRIES = 2**22  # 16 MiB of float32 scores at a time
_PAIR_ENTRIES = 2**21  # 16 MiB of float64 rows at a time
_UNIT = 2.0**-24


@dataclass(frozen=True, eq=False)
class Found:
    """The nearest of one query, best first.

    Attributes:
        places: int64 `[<= k]`, rows of the vectors.
        scores: float64 `[<= k]`, cosines.
    """

    places: NDArray[np.int64]
    scores: NDArray[np.float64]


class Exact:
    """Vectors to search among.

    Args:
        values: float32 `[M, D]`, L2-normalised; kept, not copied.
        keys: int64 `[M]`, order of ties; by default the order of the vectors.
    """

    def __init__(self, values: NDArray[np.float32], keys: NDArray[np.int64] | None = None):
        self.values = values
        self.keys = np.arange(len(values)) if keys is None else keys

    def search(self, queries: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None = None) -> list[Found]:
        """The `k` nearest of each query.

        Args:
            queries: `[Q, D]`, of any length but zero.
            k: how many; fewer where there are fewer.
            allowed: bool `[M]`, which vectors may be found; None for all.

        Raises:
            UsageError: if k is below 1 or the widths differ.
        """
        queries = np.atleast_2d(queries)
        if k < 1 or queries.shape[1] != self.values.shape[1]:
            raise UsageError(
                f"k is {k}, queries are {queries.shape[1]} wide",
                expected=f"k of at least 1, a width of {self.values.shape[1]}",
            )
        if allowed is not None:
            chosen = np.flatnonzero(allowed)
            if len(chosen) < len(allowed) // 2:  # cheaper to gather than to score all
                found = Exact(self.values[chosen], self.keys[chosen]).search(queries, k)
                return [Found(chosen[one.places], one.scores) for one in found]
        return self._search(queries, k, allowed)

    def _search(self, queries: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None) -> list[Found]:
        unit = queries / np.linalg.norm(queries.astype(np.float64), axis=1, keepdims=True)
        rough = unit.astype(np.float32)
        error = np.float32(2 * (self.values.shape[1] + 16) * _UNIT)
        floor = np.full(len(unit), -np.inf, np.float32)  # no more than the rough score of each query's k-th best
        parts: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]] = []
        step = max(1, _CHUNK_ENTRIES // len(unit))
        for start in range(0, len(self.values), step):
            scores = rough @ self.values[start : start + step].T
            if allowed is not None:
                scores[:, ~allowed[start : start + step]] = -np.inf
            if scores.shape[1] > k:
                floor = np.maximum(floor, np.partition(scores, -k, axis=1)[:, -k])
            query, place = np.nonzero((scores >= (floor - error)[:, None]) & (scores > -np.inf))
            parts.append((query, place + start, scores[query, place]))
        query, place, score = (np.concatenate(each) for each in zip(*parts, strict=True)) if parts else _NONE
        kept = score >= (floor - error)[query]
        return [self._ordered(unit[q], place[kept & (query == q)], k) for q in range(len(unit))]

    def _ordered(self, query: NDArray[np.float64], places: NDArray[np.int64], k: int) -> Found:
        """The candidates of one query `[D]`, scored in float64, best first, ties by key."""
        scores = cosines(self.values, places, query)
        by_score = np.argsort(-scores, kind="stable")
        places, scores = places[by_score], scores[by_score]
        level = np.concatenate([[0], np.cumsum(-np.diff(scores) > TIE_TOLERANCE)])[: len(scores)]
        order = np.lexsort((self.keys[places], level))[:k]
        return Found(places[order], scores[order])


_NONE = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))


def cosines(values: NDArray[np.float32], places: NDArray[np.int64], query: NDArray[np.floating]) -> NDArray[np.float64]:
    """Cosine of `query [D]` with some of the vectors, in float64, some at a time."""
    unit = query.astype(np.float64) / np.linalg.norm(query.astype(np.float64))
    found = np.empty(len(places))
    step = max(1, _PAIR_ENTRIES // max(1, values.shape[1]))
    for start in range(0, len(places), step):
        part = values[places[start : start + step]].astype(np.float64)
        lengths = np.sqrt(np.einsum("ij,ij->i", part, part))
        found[start : start + step] = np.einsum("ij,j->i", part, unit) / np.where(lengths > 0, lengths, 1.0)
    return found
