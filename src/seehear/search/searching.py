"""Searching a table: a query of one modality, the nearest clips by their vectors of another.

Legend: N clips, D width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seehear.contracts import Modality
from seehear.errors import StorageError, UsageError
from seehear.search.columns import MODALITIES, Embedded
from seehear.search.embedded_table import EmbeddedTable
from seehear.search.exact import Exact, Found

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

    def search(self, query: "Query", target: Modality, k: int = 10, where: "Filter | None" = None) -> list[Hit]:
        """The `k` clips whose vectors of `target` are nearest, best first; fewer where there are fewer.

        A clip of the table is left out of its own results where `target` is what the query is made of.

        Raises:
            UsageError: if k is below 1, the table has no vectors of `target`, or the filter names what is not there.
            StorageError: if the table cannot be read.
        """
        return self.search_many([query], target, k, where)[0]

    def search_many(
        self, queries: "Sequence[Query]", target: Modality, k: int = 10, where: "Filter | None" = None
    ) -> list[list[Hit]]:
        """The same for several queries at once, which costs less."""
        column = self._column(target)
        vectors = self.table.vectors(column)
        own = [self._own(query, target) for query in queries]
        more = k + any(row is not None for row in own)
        allowed = None if where is None else where.rows(self.table)[vectors.rows]
        stacked = np.stack([query.vector for query in queries])
        found = self._exact_of(target).search(stacked, more, allowed)
        return [self._hits(vectors.rows[one.places], one, row, k) for one, row in zip(found, own, strict=True)]

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

    def _hits(self, rows: np.ndarray, found: Found, own: int | None, k: int) -> list[Hit]:
        kept = [(int(row), float(score)) for row, score in zip(rows, found.scores, strict=True) if row != own][:k]
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
