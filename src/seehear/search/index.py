"""The index of a column of vectors: which kind, how it is asked, how well it finds, and whether it may be relied on.

LanceDB's engine holds the index inside the table: IVF-PQ (cells around centres, product-quantised vectors) or IVF-HNSW
(a graph within each cell). What was measured when it was built lies in the table's configuration, beside it.
"""

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from seehear.clips.lance_files import storage_failures
from seehear.errors import StorageError
from seehear.search.columns import Embedded
from seehear.search.embedded_table import EmbeddedTable

Kind = Literal["ivf_pq", "ivf_hnsw_sq", "ivf_hnsw_pq"]
KINDS: tuple[Kind, ...] = ("ivf_pq", "ivf_hnsw_sq", "ivf_hnsw_pq")
EXACT_BELOW = 100_000
"""Vectors up to which all are compared: exact, and as quick as an index (256 numbers each, docs/performance.md)."""
USUAL: Kind = "ivf_hnsw_sq"
"""The kind that is built where none is named: the quickest of 100,000 vectors at equal recall."""


@dataclass(frozen=True)
class Effort:
    """How thoroughly an index is asked.

    Attributes:
        cells: how many cells are looked into (Lance's nprobes).
        refine: so many times k candidates are compared by their true vectors; 1 trusts the index.
        beam: candidates that the walk through a graph keeps, at least; 0 without a graph (Lance's ef).
    """

    cells: int
    refine: int = 1
    beam: int = 0

    def among(self, share: float, cells: int) -> "Effort":
        """The effort where only a `share` of the vectors may be found: more of the `cells`, and a wider beam."""
        more = 1 / max(share, 1e-9)
        return Effort(min(cells, math.ceil(self.cells * more)), self.refine, math.ceil(self.beam * min(more, 8)))


@dataclass(frozen=True)
class Measured:
    """An index as it was built and measured.

    Attributes:
        kind: of index.
        vectors: how many it was built on.
        cells: how many it has.
        sub_vectors: parts that product quantisation cuts a vector into; 0 without.
        weights: of the model whose vectors it holds.
        segments: what Lance calls its parts: another list is another index.
        effort: how it is asked.
        recall: share of the true 10 nearest that it finds, at that effort, the least of those in `recalls`.
        recalls: the same for queries of each modality.
        queries: how many were sampled of each.
        tried_all: no effort reached the recall that was wished for.
        build_seconds: time of building.
    """

    kind: Kind
    vectors: int
    cells: int
    sub_vectors: int
    weights: str = ""
    segments: tuple[str, ...] = ()
    effort: Effort = Effort(1)
    recall: float = 0.0
    recalls: dict[str, float] = field(default_factory=dict)
    queries: int = 0
    tried_all: bool = False
    build_seconds: float = 0.0

    def to_json(self) -> str:
        """As JSON text."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True)
class Index:
    """The index of a column as it stands.

    Attributes:
        measured: what is known of it; None where it may not be relied on.
        missing: rows that it does not cover: Lance compares them one by one.
        note: what to say of it; "" where all is well.
    """

    measured: Measured | None
    missing: int = 0
    note: str = ""


def name_of(column: Embedded) -> str:
    """What Lance calls the column's index."""
    return f"{column.column}_index"


def key_of(column: Embedded) -> str:
    """Where the table's configuration says what was measured."""
    return f"seehear.index.{column.column}"


def index_of(table: EmbeddedTable, column: Embedded) -> Index | None:
    """The index of a column, or None where there is none.

    Raises:
        StorageError: if the table cannot be read, or says things of the index that cannot be understood.
    """
    found = _described(table, column)
    if found is None:
        return None
    measured, cure = _measured(table, column), f"seehear index {table.uri} --model {column.slug}"
    if measured is None or measured.segments != segments_of(table, column):
        note = f"the index of {column.column} was never measured (its building was interrupted)"
        return Index(None, note=f"{note}: all vectors are compared instead; try: {cure}")
    if measured.weights != column.weights:
        note = f"the index of {column.column} holds vectors of other weights"
        return Index(None, note=f"{note}: all vectors are compared instead; try: {cure}")
    missing = len(table) - found.num_rows_indexed
    note = ""
    if missing:
        note = f"the index of {column.column} does not cover {missing} of {len(table)} clips"
        note = f"{note}, which are compared one by one; try: {cure}"
    return Index(measured, missing, note)


def segments_of(table: EmbeddedTable, column: Embedded) -> tuple[str, ...]:
    """What Lance calls the parts of the column's index, sorted; none without an index."""
    found = _described(table, column)
    return () if found is None else tuple(sorted(str(part.uuid) for part in found.segments))


def _described(table: EmbeddedTable, column: Embedded) -> Any:
    with storage_failures(table.uri):
        return next((i for i in table.dataset.describe_indices() if i.name == name_of(column)), None)


def _measured(table: EmbeddedTable, column: Embedded) -> Measured | None:
    with storage_failures(table.uri):
        text = table.dataset.config().get(key_of(column))
    if text is None:
        return None
    try:
        values: dict[str, Any] = json.loads(text)
        values |= {"effort": Effort(**values["effort"]), "segments": tuple(values["segments"])}
        return Measured(**values)
    except (json.JSONDecodeError, TypeError, KeyError) as error:
        raise StorageError(
            f"{table.uri}: {key_of(column)} cannot be understood ({error})",
            cause="a table from another version of SeeHear",
            cure=f"seehear index {table.uri} --kind exact, then seehear index {table.uri}",
        ) from error
