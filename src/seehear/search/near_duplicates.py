"""Clips that are nearly the same: pairs whose vectors lie nearer than a threshold, gathered into groups.

All pairs are compared, some rows at a time; nothing of size N x N is held. Overlapping windows of one file are alike by
their making and are left out unless asked for. Where sound and picture must both be alike, a clip that has one of them
only can be alike to another that has the same one only. Legend: N clips, C clips compared, D width, M modalities.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seehear.contracts import Modality
from seehear.errors import UsageError
from seehear.search.embedded_table import EmbeddedTable, Vectors
from seehear.search.exact import cosines

_BLOCK_ROWS = 1024
_ROUNDING = 1e-5  # of a cosine in float32; what is so near the threshold is scored again
MOST_PAIRS = 5_000_000


@dataclass(frozen=True)
class Pair:
    """Two clips: rows of the table, and their cosine (the least, where several modalities are compared)."""

    one: int
    other: int
    score: float


@dataclass(frozen=True)
class Group:
    """Clips that are joined by pairs: their rows, rising, and the pairs, nearest first."""

    rows: tuple[int, ...]
    pairs: tuple[Pair, ...]

    @property
    def score(self) -> float:
        """Of its nearest pair."""
        return self.pairs[0].score


def duplicates(
    table: EmbeddedTable,
    modalities: Sequence[Modality] = (),
    threshold: float = 0.98,
    *,
    model: str | None = None,
    allowed: NDArray[np.bool_] | None = None,
    overlapping: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[Group]:
    """Groups of near-duplicates, the nearest first.

    Args:
        table: whose clips.
        modalities: that must all be near: ("audio",) finds the same sound under other pictures. By default sound and
            picture, as far as they are embedded.
        threshold: least cosine, above 0 and up to 1.
        model: whose vectors; None where there is one model.
        allowed: bool `[N]`, which clips to compare; None for all.
        overlapping: also windows of one file that overlap in time.
        progress: told how many clips of how many are compared.

    Raises:
        UsageError: for a threshold that cannot be, a modality that is not embedded, or more than 5 million pairs.
        StorageError: if the table cannot be read.
    """
    if not 0 < threshold <= 1:
        raise UsageError(f"a threshold of {threshold}", expected="above 0 and up to 1")
    columns = table.columns_of(model)
    wanted = tuple(modalities) or tuple(m for m in ("audio", "image") if m in columns) or tuple(columns)
    missing = [modality for modality in wanted if modality not in columns]
    if missing:
        raise UsageError(f"{table.uri} has no {', '.join(missing)} vectors", expected=f"one of {', '.join(columns)}")
    compared = _Compared.of(table, [table.vectors(columns[modality]) for modality in wanted], allowed)
    pairs: list[Pair] = []
    for start in range(0, len(compared), _BLOCK_ROWS):
        pairs += _near(compared, start, threshold, None if overlapping else table)
        if len(pairs) > MOST_PAIRS:
            raise UsageError(
                f"more than {MOST_PAIRS:,} pairs above {threshold}", cure="a higher threshold, or a filter"
            )
        if progress is not None:
            progress(min(start + _BLOCK_ROWS, len(compared)), len(compared))
    return _groups(pairs)


@dataclass(frozen=True, eq=False)
class _Compared:
    """The clips to compare: their rows `[C]`, and of each modality their vectors `[C, D]`, zero where there is none."""

    rows: NDArray[np.int64]
    values: list[NDArray[np.float32]]
    has: NDArray[np.bool_]  # [C, M]

    @classmethod
    def of(cls, table: EmbeddedTable, each: Sequence[Vectors], allowed: NDArray[np.bool_] | None) -> "_Compared":
        has = np.stack([np.isin(np.arange(len(table)), vectors.rows) for vectors in each], axis=1)
        rows = np.flatnonzero(has.any(axis=1) if allowed is None else has.any(axis=1) & allowed)
        values = []
        for vectors, there in zip(each, has[rows].T, strict=True):
            if there.all() and len(vectors) == len(rows):
                values.append(vectors.values)
                continue
            filled = np.zeros((len(rows), vectors.values.shape[1]), np.float32)
            filled[there] = vectors.values[np.searchsorted(vectors.rows, rows[there])]
            values.append(filled)
        return cls(rows, values, has[rows])

    def __len__(self) -> int:
        return len(self.rows)


def _near(clips: _Compared, start: int, threshold: float, apart_in: EmbeddedTable | None) -> list[Pair]:
    """Pairs of a block of clips with all clips after each, exact in float64."""
    found: list[Pair] = []
    rows = slice(start, start + _BLOCK_ROWS)
    for begin in range(start, len(clips), 4 * _BLOCK_ROWS):
        columns = slice(begin, begin + 4 * _BLOCK_ROWS)
        near = (clips.has[rows, None] == clips.has[None, columns]).all(axis=2)
        for number, values in enumerate(clips.values):
            near &= (values[rows] @ values[columns].T >= threshold - _ROUNDING) | ~clips.has[rows, number][:, None]
        one, other = np.nonzero(near)
        one, other = one + start, other + begin
        later = other > one
        one, other = one[later], other[later]
        if apart_in is not None:
            apart = ~_overlap(apart_in, clips.rows[one], clips.rows[other])
            one, other = one[apart], other[apart]
        for place in np.unique(one):
            found += _scored(clips, int(place), other[one == place], threshold)
    return found


def _scored(clips: _Compared, one: int, others: NDArray[np.int64], threshold: float) -> list[Pair]:
    """The pairs of one clip that reach the threshold in float64."""
    there = [values for values, has in zip(clips.values, clips.has[one], strict=True) if has]
    score = np.min([cosines(values, others, values[one]) for values in there], axis=0)
    sure = score >= threshold
    row, rows = int(clips.rows[one]), clips.rows[others[sure]]
    return [Pair(row, int(other), float(value)) for other, value in zip(rows, score[sure], strict=True)]


def _overlap(table: EmbeddedTable, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which pairs are windows of one file that share some time."""
    start, end = table.start_seconds, table.start_seconds + table.duration_seconds
    together = (start[one] < end[other]) & (start[other] < end[one])
    return together & (table.source_codes[one] == table.source_codes[other])


def _groups(pairs: list[Pair]) -> list[Group]:
    """Union-find over the pairs."""
    root: dict[int, int] = {}

    def find(row: int) -> int:
        root.setdefault(row, row)
        while root[row] != row:
            root[row] = row = root[root[row]]
        return row

    for pair in pairs:
        one, other = find(pair.one), find(pair.other)
        root[max(one, other)] = min(one, other)
    members: dict[int, list[Pair]] = {}
    for pair in pairs:
        members.setdefault(find(pair.one), []).append(pair)
    groups = []
    for own in members.values():
        ordered = tuple(sorted(own, key=lambda pair: (-pair.score, pair.one, pair.other)))
        groups.append(Group(tuple(sorted({row for pair in own for row in (pair.one, pair.other)})), ordered))
    return sorted(groups, key=lambda group: (-group.score, group.rows))
