"""Ranks in both directions of retrieval from one matrix product, in float32 and yet exact.

A cosine in float32 is off by at most (D + 8) u, u = 2 ** -24, in whatever order a product sums (Higham, "Accuracy and
Stability of Numerical Algorithms", 2002, sec. 3.1; unit vectors, whose entries were rounded three times). Candidates
that score further than that from what counts are told apart by the quick product; the few within are scored again in
float64, and where many are (embeddings that are nearly alike) the whole block is. The product is never held whole.

Legend: N pairs, Q queries, M gallery items, D width.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seehear.errors import DataError
from seehear.metrics.arrays import TIE_TOLERANCE, finite_matrix

_BLOCK_ENTRIES = 2**21  # 8 MiB of float32 scores at a time
_PAIR_ENTRIES = 2**19  # 4 MiB of float64 rows at a time
_FEW = 1 / 32  # share of a block's scores up to which scoring pair by pair is cheaper than a product in float64
_UNIT = 2.0**-24
_SAFE = (1e-18, 1e18)  # lengths of float32 rows that can be scaled in float32


def paired_ranks(
    one: ArrayLike, other: ArrayLike, tie_tolerance: float = TIE_TOLERANCE, block_entries: int = _BLOCK_ENTRIES
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ranks of pairs in both directions, each `[N]`: of `other[i]` for `one[i]`, and of `one[i]` for `other[i]`.

    Args:
        one: `[N, D]`.
        other: `[N, D]`.
        tie_tolerance: cosines nearer than this are ties, and count against the query.
        block_entries: cosines held at once.

    Raises:
        DataError: on embeddings that are not finite or do not fit each other.
    """
    left, right = unit_vectors(one, "query embeddings"), unit_vectors(other, "gallery embeddings")
    if len(left) != len(right):
        raise DataError(f"{len(left)} and {len(right)} embeddings", expected="pairs")
    least, everyone = true_cosines(left, right) - tie_tolerance, np.arange(len(left))
    forward, backward = np.zeros(len(left), np.int64), np.zeros(len(left), np.int64)
    for rows in _row_blocks(len(left), len(right), block_entries):
        block = _Block(left.some(rows), right, everyone[rows])
        forward[rows] = block.reaching(least[rows], axis=1)
        backward += block.reaching(least, axis=0)
    return forward, backward


def one_way_ranks(
    queries: ArrayLike,
    gallery: ArrayLike,
    truth: NDArray[np.integer],
    tie_tolerance: float = TIE_TOLERANCE,
    block_entries: int = _BLOCK_ENTRIES,
) -> NDArray[np.int64]:
    """Rank of the gallery row `truth[q]` for each query, `[Q]`; the rest as in `paired_ranks`.

    Raises:
        DataError: on embeddings that are not finite or do not fit each other.
    """
    left, right = unit_vectors(queries, "query embeddings"), unit_vectors(gallery, "gallery embeddings")
    least = true_cosines(left, right, truth) - tie_tolerance
    ranks = [
        _Block(left.some(rows), right, truth[rows]).reaching(least[rows], axis=1)
        for rows in _row_blocks(len(left), len(right), block_entries)
    ]
    return np.concatenate(ranks)


@dataclass(frozen=True)
class UnitVectors:
    """Rows of length one (zero, where they were zero): `rough` in float32, exact as `values * scale` in float64."""

    values: NDArray[np.floating]
    scale: NDArray[np.float64]
    rough: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.scale)

    @property
    def width(self) -> int:
        """D."""
        return self.values.shape[1]

    def some(self, rows: slice) -> "UnitVectors":
        """Some of the rows, as views."""
        return UnitVectors(self.values[rows], self.scale[rows], self.rough[rows])

    def exact(self, rows: NDArray[np.integer] | slice = slice(None)) -> NDArray[np.float64]:
        """Rows in float64."""
        return self.values[rows] * self.scale[rows, None]


def unit_vectors(values: ArrayLike, what: str) -> UnitVectors:
    """Rows scaled to length one.

    Raises:
        DataError: if it is not a matrix, is empty, or holds a NaN or an infinity.
    """
    raw = np.asarray(values)
    if raw.dtype == np.float32 and raw.ndim == 2 and raw.size:
        lengths = np.sqrt(np.einsum("ij,ij->i", raw, raw, dtype=np.float64))  # finite if and only if the row is
        if ((lengths == 0) | ((lengths > _SAFE[0]) & (lengths < _SAFE[1]))).all():
            scale = 1 / np.where(lengths > 0, lengths, 1.0)
            return UnitVectors(raw, scale, raw * scale.astype(np.float32)[:, None])
    matrix = finite_matrix(raw, what)
    lengths = np.linalg.norm(matrix, axis=1)
    unit = matrix / np.where(lengths > 0, lengths, 1.0)[:, None]
    return UnitVectors(unit, np.ones(len(unit)), unit.astype(np.float32))


def true_cosines(
    queries: UnitVectors, gallery: UnitVectors, truth: NDArray[np.integer] | None = None
) -> NDArray[np.float64]:
    """Exact cosine of each query with its true candidate, `[Q]`; row i belongs to query i by default.

    Raises:
        DataError: if the widths differ.
    """
    if queries.width != gallery.width:
        raise DataError(f"queries are {queries.width} wide", expected=f"{gallery.width} as the gallery")
    rows = np.arange(len(queries))
    return _cosines(queries, gallery, rows, rows if truth is None else truth)


@dataclass(frozen=True)
class _Block:
    """Some queries against the whole gallery; the true candidate of query i is gallery row `truth[i]`."""

    queries: UnitVectors
    gallery: UnitVectors
    truth: NDArray[np.integer]

    @cached_property
    def rough(self) -> NDArray[np.float32]:
        """Cosines `[Q, M]`; the true ones are infinite, so that they count once whatever rounding does."""
        return self._with_truth(self.queries.rough @ self.gallery.rough.T)

    @cached_property
    def exact(self) -> NDArray[np.float64]:
        """The same in float64."""
        return self._with_truth(self.queries.exact() @ self.gallery.exact().T)

    def _with_truth(self, scores: NDArray) -> NDArray:
        scores[np.arange(len(scores)), self.truth] = np.inf
        return scores

    def reaching(self, least: NDArray[np.float64], axis: int) -> NDArray[np.int64]:
        """How many scores reach `least`: per query (axis 1, `[Q]`) or per gallery item (axis 0, `[M]`)."""
        error = (self.gallery.width + 8) * _UNIT
        surely = self.rough > np.expand_dims((least + error).astype(np.float32), axis)
        close = self.rough >= np.expand_dims((least - error).astype(np.float32), axis)
        close ^= surely
        places = np.flatnonzero(close)
        if len(places) > _FEW * close.size:
            return np.count_nonzero(self.exact >= np.expand_dims(least, axis), axis=axis)
        query, item = np.divmod(places, close.shape[1])
        counted = query if axis == 1 else item
        reached = _cosines(self.queries, self.gallery, query, item) >= least[counted]
        return np.count_nonzero(surely, axis=axis) + np.bincount(counted[reached], minlength=len(least))


def _cosines(
    queries: UnitVectors, gallery: UnitVectors, query: NDArray[np.integer], item: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Cosines of single pairs in float64, some at a time."""
    step = max(1, _PAIR_ENTRIES // queries.width)
    found = np.empty(len(query))
    for start in range(0, len(query), step):
        part = slice(start, start + step)
        one, other = queries.values[query[part]], gallery.values[item[part]]
        dots = np.einsum("ij,ij->i", one, other, dtype=np.float64)
        found[part] = dots * queries.scale[query[part]] * gallery.scale[item[part]]
    return found


def _row_blocks(rows: int, columns: int, entries: int) -> Iterator[slice]:
    step = max(1, entries // columns)
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))
