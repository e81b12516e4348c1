"""Arrays as the metrics want them: float64, finite, of the right shape; anything else is an error, never a NaN figure.

Legend: N items, D width, C classes.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seehear.errors import DataError

TIE_TOLERANCE = 1e-12
"""Cosines nearer than this are a tie: embeddings equal up to float32 rounding (1e-6 apart) differ by less."""

LABEL_THRESHOLD = 0.5
"""A soft label counts as membership from here on."""


def finite_matrix(values: ArrayLike, what: str) -> NDArray[np.float64]:
    """`values` as float64 `[N, D]`.

    Raises:
        DataError: if it is not a matrix, is empty, or holds a NaN or an infinity.
    """
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or matrix.size == 0:
        raise DataError(f"{what} have shape {matrix.shape}", expected="a matrix with at least one row and one column")
    return _all_finite(matrix, what)


def finite_vector(values: ArrayLike, what: str) -> NDArray[np.float64]:
    """`values` as float64 `[N]`.

    Raises:
        DataError: if it is not a vector, is empty, or holds a NaN or an infinity.
    """
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1 or vector.size == 0:
        raise DataError(f"{what} have shape {vector.shape}", expected="a vector with at least one entry")
    return _all_finite(vector, what)


def _all_finite(array: NDArray[np.float64], what: str) -> NDArray[np.float64]:
    bad = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))
    if len(bad):
        raise DataError(
            f"{what} hold NaN or infinity in {len(bad)} of {len(array)} rows (first: row {bad[0]})",
            expected="finite numbers",
            cause="a network that diverged, or input it was not made for",
        )
    return array


def unit_rows(values: ArrayLike, what: str) -> NDArray[np.float64]:
    """Rows of length one, float64 `[N, D]`; a row of zeros stays zero, so that it ties with everything.

    Raises:
        DataError: as `finite_matrix`.
    """
    matrix = finite_matrix(values, what)
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix / np.where(norms > 0, norms, 1.0)


def memberships(labels: ArrayLike, rows: int | None = None) -> NDArray[np.bool_]:
    """Multi-hot labels as bool `[N, C]`.

    Raises:
        DataError: if they are not a finite matrix, or have another number of rows than `rows`.
    """
    matrix = finite_matrix(labels, "labels") >= LABEL_THRESHOLD
    if rows is not None and len(matrix) != rows:
        raise DataError(f"there are labels for {len(matrix)} items", expected=f"{rows}")
    return matrix
