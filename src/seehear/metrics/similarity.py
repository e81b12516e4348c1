"""Cosine similarity of large collections, some rows at a time.

Legend: Q queries, N gallery items, D width.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seehear.errors import DataError
from seehear.metrics.arrays import unit_rows

_BLOCK_ENTRIES = 2**22  # 32 MiB of float64 scores at a time


def cosine_blocks(
    queries: ArrayLike, gallery: ArrayLike, block_entries: int = _BLOCK_ENTRIES
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Yield `(rows, scores [rows, N])` of the cosine matrix of `queries [Q, D]` and `gallery [N, D]`, in order.

    Raises:
        DataError: if either is not a finite matrix, or the widths differ.
    """
    left, right = unit_rows(queries, "query embeddings"), unit_rows(gallery, "gallery embeddings")
    if left.shape[1] != right.shape[1]:
        raise DataError(f"queries are {left.shape[1]} wide", expected=f"{right.shape[1]} as the gallery")
    step = max(1, block_entries // len(right))
    for start in range(0, len(left), step):
        rows = slice(start, min(start + step, len(left)))
        yield rows, left[rows] @ right.T
