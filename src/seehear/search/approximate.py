"""The nearest vectors by cosine through an index: candidates from Lance, ordered by exact cosine.

What an index returns is scored again in float64 from the true vectors, so scores and order are those of exact search;
only a clip that the index overlooks is missing. Legend: Q queries, D width, k results.
"""

import numpy as np
from numpy.typing import NDArray

from seehear.clips.lance_files import storage_failures
from seehear.search.columns import Embedded
from seehear.search.embedded_table import EmbeddedTable
from seehear.search.exact import Exact, Found
from seehear.search.index import Effort


def approximate(
    table: EmbeddedTable, column: Embedded, effort: Effort, queries: NDArray[np.float32], k: int, where: str = ""
) -> list[Found]:
    """The `k` nearest rows of each of `queries [Q, D]`; fewer where the cells that are looked into hold fewer.

    Args:
        table: whose index is asked.
        column: of vectors.
        effort: how thoroughly.
        queries: `[Q, D]`.
        k: how many.
        where: an SQL condition that rows must meet.

    Raises:
        StorageError: if the table cannot be read.
    """
    nearest = {"column": column.column, "q": queries, "k": k, "metric": "cosine", "nprobes": effort.cells}
    if effort.refine > 1:
        nearest["refine_factor"] = effort.refine
    if effort.beam:
        nearest["ef"] = max(effort.beam, 2 * k * effort.refine)
    condition = {"filter": where, "prefilter": True} if where else {}
    with storage_failures(table.uri):
        found = table.dataset.to_table(
            columns=[column.column, "_distance"], nearest=nearest, with_row_address=True, **condition
        )
    rows = table.rows_at(found["_rowaddr"].to_numpy())
    chunks = found[column.column].combine_chunks()
    values = chunks.flatten().to_numpy(zero_copy_only=False).reshape(len(rows), column.width)
    numbers = found["query_index"].to_numpy() if len(queries) > 1 else np.zeros(len(rows), np.int32)
    return [_ordered(table, rows[numbers == q], values[numbers == q], query, k) for q, query in enumerate(queries)]


def _ordered(
    table: EmbeddedTable, rows: NDArray[np.int64], values: NDArray[np.float32], query: NDArray[np.float32], k: int
) -> Found:
    best = Exact(values, table.name_order[rows]).search(query, k)[0]
    return Found(rows[best.places], best.scores)
