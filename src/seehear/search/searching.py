"""Searching a table: a query of one modality, the nearest clips by their vectors of another.

Legend: N clips, D width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seehear.contracts import Modality
from seehear.errors import StorageError, UsageError
from seehear.search.approximate import approximate
from seehear.search.columns import MODALITIES, Embedded
from seehear.search.embedded_table import EmbeddedTable
from seehear.search.exact import Exact, Found
from seehear.search.index import EXACT_BELOW, Index, index_of

if TYPE_CHECKING:
    from seehear.search.filters import Filter
    from seehear.search.query import Query
    from seehear.weights import Encoder


@dataclass(frozen=True)
class Hit:
    """A clip that was found.

    Attributes:
        rank: from 1.
        id: of the clip.
        score: cosine, -1 to 1.
        row: of the table.
        source: file that it was cut from.
        start_seconds: where it begins there.
        duration_seconds: its length.
        split: "train", "val", "test", ... or "".
        labels: its class names.
        caption: its text, or "".
    """

    rank: int
    id: str
    score: float
    row: int
    source: str
    start_seconds: float
    duration_seconds: float
    split: str
    labels: tuple[str, ...]
    caption: str


class Searcher:
    """Searches the vectors of one model in a table.

    Args:
        table: where it is.
        model: slug or name of the model; None where the table holds one.
        encoder: the model, where it is loaded already.

    Attributes:
        table: the table, at one version.
        columns: the model's columns, by modality.

    Raises:
        StorageError: if there is no usable table, or the encoder's weights are not those of the columns.
        UsageError: if no model of the table is meant.
    """

    def __init__(self, table: str | Path, model: str | None = None, *, encoder: "Encoder | None" = None):
        self.table = EmbeddedTable(table)
        self.columns = self.table.columns_of(model)
        self._encoder = None if encoder is None else self._checked(encoder)
        self._exact: dict[Modality, Exact] = {}
        self._index: dict[Modality, Index | None] = {}

    @property
    def about(self) -> Embedded:
        """Whose vectors these are."""
        return next(iter(self.columns.values()))

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """What is embedded."""
        return tuple(modality for modality in MODALITIES if modality in self.columns)

    @property
    def encoder(self) -> "Encoder":
        """The model, loaded on first use by the name in the columns.

        Raises:
            StorageError: if it cannot be found, or has other weights than the columns.
        """
        if self._encoder is None:
            from seehear.weights import load

            self._encoder = self._checked(load(self.about.model))
        return self._encoder

    def _checked(self, encoder: "Encoder") -> "Encoder":
        if encoder.about.weights != self.about.weights:
            raise StorageError(
                f"the weights of {encoder.about.name} are {encoder.about.weights}",
                expected=f"{self.about.weights}, which made the vectors in {self.table.uri}",
                cause="the model was trained on or replaced after embedding",
                cure=f"seehear embed {encoder.about.name} {self.table.uri} --overwrite",
            )
        return encoder

    def search(
        self, query: "Query", target: Modality, k: int = 10, where: "Filter | None" = None, *, exact: bool = False
    ) -> list[Hit]:
        """The `k` clips whose vectors of `target` are nearest, best first; fewer where there are fewer.

        A clip of the table is left out of its own results where `target` is what the query is made of.

        Args:
            query: what to search with.
            target: whose vectors to compare with.
            k: how many.
            where: which clips may be found.
            exact: compare with all of them even where there is an index.

        Raises:
            UsageError: if k is below 1, the table has no vectors of `target`, or the filter names what is not there.
            StorageError: if the table cannot be read.
        """
        return self.search_many([query], target, k, where, exact=exact)[0]

    def search_many(
        self,
        queries: "Sequence[Query]",
        target: Modality,
        k: int = 10,
        where: "Filter | None" = None,
        *,
        exact: bool = False,
    ) -> list[list[Hit]]:
        """The same for several queries at once, which costs less."""
        self._check(queries, target, k)
        own = [self._own(query, target) for query in queries]
        vectors, more = np.stack([query.vector for query in queries]), k + any(row is not None for row in own)
        allowed = where.rows(self.table) if where else None
        found = None if exact else self._by_index(vectors, target, more, where, allowed)
        if found is None:
            found = self._by_all(vectors, target, more, allowed)
        return [self._hits(one, row, k) for one, row in zip(found, own, strict=True)]

    def index(self, target: Modality) -> Index | None:
        """The index of the vectors of `target`; None where all are compared.

        Raises:
            UsageError, StorageError: as `search`.
        """
        if target not in self._index:
            self._index[target] = index_of(self.table, self._column(target))
        return self._index[target]

    def note(self, target: Modality) -> str:
        """What to say of the index of `target`: that it cannot be used, or misses clips; "" where all is well."""
        index = self.index(target)
        return "" if index is None else index.note

    def _check(self, queries: "Sequence[Query]", target: Modality, k: int) -> None:
        column = self._column(target)
        for query in queries:
            if k < 1 or query.vector.shape != (column.width,):
                raise UsageError(
                    f"k is {k}, a query is {query.vector.shape} wide",
                    expected=f"k of at least 1, a width of {column.width}",
                )

    def _by_index(
        self,
        vectors: NDArray[np.float32],
        target: Modality,
        k: int,
        where: "Filter | None",
        allowed: NDArray[np.bool_] | None,
    ) -> list[Found] | None:
        """Through the index; None where all must be compared, or are as quickly."""
        index, column = self.index(target), self._column(target)
        few = allowed is not None and allowed.sum() < EXACT_BELOW
        if index is None or index.measured is None or few:
            return None
        effort = index.measured.effort
        if allowed is not None:
            effort = effort.among(float(allowed.mean()), index.measured.cells)
        if k * effort.refine >= self.table.count(column):
            return None
        found = approximate(self.table, column, effort, vectors, k, where.sql if where else "")
        return None if any(len(one.places) < k for one in found) else found

    def _by_all(
        self, vectors: NDArray[np.float32], target: Modality, k: int, allowed: NDArray[np.bool_] | None
    ) -> list[Found]:
        column = self._column(target)
        if allowed is not None and target not in self._exact and allowed.sum() < EXACT_BELOW:
            some = self.table.vectors_at(column, np.flatnonzero(allowed))
            found, rows = Exact(some.values, self.table.name_order[some.rows]).search(vectors, k), some.rows
        else:
            rows = self.table.vectors(column).rows
            found = self._exact_of(target).search(vectors, k, None if allowed is None else allowed[rows])
        return [Found(rows[one.places], one.scores) for one in found]

    def _own(self, query: "Query", target: Modality) -> int | None:
        return self.table.row(query.clip) if query.clip is not None and query.modality == target else None

    def _column(self, target: Modality) -> Embedded:
        if target not in self.columns:
            raise UsageError(
                f"{self.table.uri} has no {target} vectors of {self.about.slug}",
                expected=f"one of {', '.join(self.modalities)}",
            )
        return self.columns[target]

    def _exact_of(self, target: Modality) -> Exact:
        if target not in self._exact:
            vectors = self.table.vectors(self.columns[target])
            self._exact[target] = Exact(vectors.values, self.table.name_order[vectors.rows])
        return self._exact[target]

    def _hits(self, found: Found, own: int | None, k: int) -> list[Hit]:
        each = zip(found.places, found.scores, strict=True)
        kept = [(int(row), float(score)) for row, score in each if row != own][:k]
        return [self._hit(rank, row, score) for rank, (row, score) in enumerate(kept, start=1)]

    def _hit(self, rank: int, row: int, score: float) -> Hit:
        table = self.table
        return Hit(
            rank,
            table.names[row],
            score,
            row,
            table.sources[row],
            float(table.start_seconds[row]),
            float(table.duration_seconds[row]),
            table.splits[row],
            tuple(table.labels[row]),
            table.captions[row],
        )
