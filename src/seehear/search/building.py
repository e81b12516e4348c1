"""Building an index and measuring it: how many of the true nearest it finds, and how thoroughly it must be asked.

Two commits: the index (by Lance, all or nothing), then what was measured. A kill before the first leaves the table as
it was; between the two it leaves an index that search does not rely on, in whose place the next run puts another.

Queries for the measurement are vectors of the table itself, of each modality that the model has: sounds and pictures
lie apart in the space (the modality gap), and an index that finds pictures by pictures may overlook them by sounds.
The least recall of them counts. A query's own vector is not counted as found.

Legend: N vectors, D width, Q queries.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from seehear.clips.lance_files import is_uri, open_dataset, storage_failures
from seehear.contracts import Modality
from seehear.errors import StorageError, UsageError
from seehear.search.alone import alone
from seehear.search.approximate import approximate
from seehear.search.columns import Embedded
from seehear.search.embedded_table import EmbeddedTable
from seehear.search.exact import Exact
from seehear.search.index import (
    EXACT_BELOW,
    KINDS,
    USUAL,
    Effort,
    Kind,
    Measured,
    index_of,
    key_of,
    name_of,
    segments_of,
)

RECALL_AT = 10
QUERIES = 200
FEWEST_FOR_CODES = 256  # vectors that product quantisation needs to learn its codes
_ROWS_OF_A_GRAPH = 2**20
_REFINES = (1, 4, 16, 64)
_BEAMS = (32, 64, 128, 256, 512)

Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Wish:
    """What index to build.

    Attributes:
        kind: "auto" builds a graph (IVF-HNSW-SQ) from 100,000 vectors on, else none; "exact" takes an index away.
        cells: of the index; None for the square root of N (a graph: one per million).
        sub_vectors: of product quantisation; None for an eighth of D.
        recall: share of the true 10 nearest to find.
        queries: how many to measure with, of each modality.

    Raises:
        UsageError: for what cannot be.
    """

    kind: Kind | Literal["auto", "exact"] = "auto"
    cells: int | None = None
    sub_vectors: int | None = None
    recall: float = 0.95
    queries: int = QUERIES

    def __post_init__(self) -> None:
        if self.kind not in (*KINDS, "auto", "exact"):
            raise UsageError(f"index of kind {self.kind!r}", expected=f"auto, exact, {', '.join(KINDS)}")
        for name in ("cells", "sub_vectors"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name.replace('_', ' ')}: {value}", expected="at least 1")
        if not 0 < self.recall <= 1 or self.queries < 1:
            raise UsageError(
                f"recall {self.recall} on {self.queries} queries", expected="a recall above 0 and up to 1, 1 query"
            )


@dataclass(frozen=True)
class Outcome:
    """What came of it for one column.

    Attributes:
        column: its name.
        vectors: how many it holds.
        measured: the index, or None where all vectors are compared.
        done: "built", "extended", "there already", "none needed" or "taken away".
        reaches: recall is what was wished for, or search is exact.
    """

    column: str
    vectors: int
    measured: Measured | None
    done: str
    reaches: bool = True


def build_index(table: EmbeddedTable, column: Embedded, wish: Wish, progress: Progress | None = None) -> Outcome:
    """Build, extend or take away the index of a column, as far as what is wished for is not there yet.

    Raises:
        UsageError: for settings that do not fit the vectors, or if another process builds an index of the same table.
        StorageError: on a full disk and the like, or if another process took these vectors away meanwhile.
    """
    lock = Path(table.uri.rstrip("/") + ".index.lock")
    with nullcontext() if is_uri(table.uri) else alone(lock, f"building an index of {table.uri}"):
        return _build(table, column, wish, progress)


def _build(table: EmbeddedTable, column: Embedded, wish: Wish, progress: Progress | None) -> Outcome:
    count, there = table.count(column), index_of(table, column)
    if wish.kind == "exact" or (wish.kind == "auto" and count < EXACT_BELOW and there is None):
        if there is not None:
            with _failures(table):
                _refuse_others(table, column).drop_index(name_of(column))
        return Outcome(column.column, count, None, "none needed" if there is None else "taken away")
    known = None if there is None else there.measured
    shape = _shape(count, column.width, wish, known)
    extend = known is not None and (known.kind, known.cells, known.sub_vectors) == (
        shape.kind,
        shape.cells,
        shape.sub_vectors,
    )
    began = time.perf_counter()
    if not extend:
        _create(table, column, shape, progress)
    elif there is not None and there.missing:
        with _failures(table):
            _refuse_others(table, column).optimize.optimize_indices(index_names=[name_of(column)])
    elif known is not None and known.queries == wish.queries and (known.recall >= wish.recall or known.tried_all):
        return Outcome(column.column, count, known, "there already", known.recall >= wish.recall)
    shape = replace(shape, build_seconds=time.perf_counter() - began)
    newest = table.newest()
    measured = measure(newest, column, shape, wish, progress)
    with _failures(newest):
        _refuse_others(newest, column).update_config({key_of(column): measured.to_json()})
    done = "extended" if extend else "built"
    return Outcome(column.column, count, measured, done, measured.recall >= wish.recall)


@contextmanager
def _failures(table: EmbeddedTable) -> Iterator[None]:
    """Turn the refusal of a commit beside another writer's into an error with its cure."""
    try:
        with storage_failures(table.uri):
            yield
    except StorageError as error:
        if "conflict" not in error.found.lower():
            raise
        raise _meanwhile(table) from error


def _meanwhile(table: EmbeddedTable) -> StorageError:
    return StorageError(
        f"{table.uri} was written by another process meanwhile",
        cause="`seehear embed` on the same table at the same time",
        cure="let it end, then run this command again",
    )


def _refuse_others(table: EmbeddedTable, column: Embedded) -> Any:
    """The newest version, if these vectors are still in it.

    Lance lets an index be committed on a column that is gone by then, and cannot use that table's indexes afterwards.
    """
    with storage_failures(table.uri):
        newest = open_dataset(table.uri, storage_options=table.storage_options)
        if newest is not None and _field_number(newest, column) == _field_number(table.dataset, column):
            return newest
        if newest is not None and any(index.name == name_of(column) for index in newest.describe_indices()):
            newest.drop_index(name_of(column))
    raise _meanwhile(table)


def _field_number(dataset: Any, column: Embedded) -> int | None:
    """Lance's number of a column: another one is another column, whatever its name."""
    return next((field.id() for field in dataset.lance_schema.fields() if field.name() == column.column), None)


def _shape(count: int, width: int, wish: Wish, known: Measured | None) -> Measured:
    """The index to build on `count` vectors: as wished for, else as the one that is there, else by N and D."""
    kind: Kind = wish.kind if wish.kind in KINDS else known.kind if known is not None else USUAL
    same = known if known is not None and known.kind == kind else None
    cells = wish.cells or (same.cells if same is not None else default_cells(kind, count))
    if cells > count:
        raise UsageError(f"{cells} cells for {count} vectors", expected=f"at most {count}")
    sub_vectors = 0
    if kind.endswith("pq"):
        sub_vectors = wish.sub_vectors or (same.sub_vectors if same is not None else default_sub_vectors(width))
        if width % sub_vectors:
            raise UsageError(f"{sub_vectors} sub-vectors of {width} numbers", expected=f"a divisor of {width}")
        if count < FEWEST_FOR_CODES:
            raise UsageError(
                f"{kind} of {count} vectors", expected=f"at least {FEWEST_FOR_CODES}", cure="--kind ivf_hnsw_sq"
            )
    return Measured(kind=kind, vectors=count, cells=cells, sub_vectors=sub_vectors)


def default_cells(kind: Kind, count: int) -> int:
    """Cells for N vectors: the square root of N (of 256 vectors at least), or for graphs one per million vectors."""
    return max(1, count // _ROWS_OF_A_GRAPH if "hnsw" in kind else min(round(math.sqrt(count)), count // 256))


def default_sub_vectors(width: int) -> int:
    """The largest divisor of D up to an eighth of it: one byte for eight numbers."""
    return max(n for n in range(1, max(1, width // 8) + 1) if width % n == 0)


def _create(table: EmbeddedTable, column: Embedded, shape: Measured, progress: Progress | None) -> None:
    def tell(event: Any) -> None:
        if progress is not None and event.completed is not None:
            progress(event.stage.replace("_", " "), event.completed, event.total)

    codes = {"num_sub_vectors": shape.sub_vectors} if shape.sub_vectors else {}
    newest = _refuse_others(table, column)
    try:
        with _failures(table):
            newest.create_index(
                column.column,
                shape.kind.upper(),
                name=name_of(column),
                metric="cosine",
                replace=True,
                num_partitions=shape.cells,
                progress_callback=tell,
                **codes,
            )
    finally:
        _refuse_others(table, column)


def measure(
    table: EmbeddedTable, column: Embedded, shape: Measured, wish: Wish, progress: Progress | None = None
) -> Measured:
    """The least effort at which the column's index finds what is wished for; else the best there is.

    Raises:
        StorageError: if the table cannot be read.
    """
    samples = [_Sample(table, column, one, wish.queries) for one in table.columns_of(column.slug).values()]
    best: tuple[Effort, dict[Modality, float]] | None = None
    tried_all = True
    for step, efforts in enumerate(ladders(shape)):
        if progress is not None:
            progress("measure", step, None)
        top = {one.modality: one.recall(efforts[-1]) for one in samples}
        if best is None or min(top.values()) > min(best[1].values()):
            best = efforts[-1], top
        if min(top.values()) >= wish.recall:
            best, tried_all = _least(efforts, samples, wish.recall), False
            break
    assert best is not None
    return replace(
        shape,
        weights=column.weights,
        segments=segments_of(table, column),
        effort=best[0],
        recall=min(best[1].values()),
        recalls={str(modality): recall for modality, recall in best[1].items()},
        queries=wish.queries,
        tried_all=tried_all,
    )


def ladders(shape: Measured) -> Iterator[list[Effort]]:
    """Efforts to try, each list from the least to the most thorough."""
    for refine in _REFINES:
        if "hnsw" in shape.kind:
            yield [Effort(shape.cells, refine, beam) for beam in _BEAMS]
        else:
            steps = [2**i for i in range(shape.cells.bit_length()) if 2**i < shape.cells]
            yield [Effort(cells, refine) for cells in [*steps, shape.cells]]


def _least(efforts: list[Effort], samples: "list[_Sample]", wanted: float) -> tuple[Effort, dict[Modality, float]]:
    for effort in efforts:
        recalls = {one.modality: one.recall(effort) for one in samples}
        if min(recalls.values()) >= wanted:
            break
    return effort, recalls


class _Sample:
    """Queries of one modality, with their true nearest in a column."""

    def __init__(self, table: EmbeddedTable, column: Embedded, asking: Embedded, count: int):
        self.modality, self.table, self.column = asking.modality, table, column
        own, gallery = table.vectors(asking), table.vectors(column)
        places = np.sort(np.argsort(table.ids[own.rows], kind="stable")[:count])  # ids are hashes: as good as drawn
        self.rows, self.queries = own.rows[places], own.values[places]
        found = Exact(gallery.values, table.name_order[gallery.rows]).search(self.queries, RECALL_AT + 1)
        self.true = [self._others(gallery.rows[one.places], row) for one, row in zip(found, self.rows, strict=True)]

    def recall(self, effort: Effort) -> float:
        """Share of the true nearest that the index finds."""
        found = approximate(self.table, self.column, effort, self.queries, RECALL_AT + 1)
        each = zip(found, self.rows, self.true, strict=True)
        shares = [np.isin(true, self._others(one.places, row)).mean() for one, row, true in each if len(true)]
        return float(np.mean(shares)) if shares else 1.0

    def _others(self, rows: NDArray[np.int64], own: int) -> NDArray[np.int64]:
        """The nearest without the query itself."""
        return rows[rows != own][:RECALL_AT]
