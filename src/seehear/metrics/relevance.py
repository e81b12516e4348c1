"""Which items count as agreeing: any shared label.

A clip may carry several labels. A neighbour agrees with a query if they share at least one (the usual reading of
multi-label retrieval; with single labels it is equality of class). What labels alone can tell apart is the whole set:
that is what `label_groups` numbers.

Legend: Q queries, N gallery items, C classes.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seehear.errors import DataError
from seehear.metrics.arrays import memberships


def shares_label(query_labels: ArrayLike, gallery_labels: ArrayLike) -> NDArray[np.bool_]:
    """`[Q, N]`: do query and gallery item share a label (multi-hot `[Q, C]` and `[N, C]`, member from 0.5 up).

    Raises:
        DataError: if the labels are not finite matrices of equal width.
    """
    left, right = memberships(query_labels), memberships(gallery_labels)
    if left.shape[1] != right.shape[1]:
        raise DataError(f"queries have {left.shape[1]} classes", expected=f"{right.shape[1]} as the gallery")
    return left.astype(np.float32) @ right.T.astype(np.float32) > 0


def label_groups(labels: ArrayLike) -> NDArray[np.int64]:
    """Number of each item's label set, `[N]` from 0: equal for items with exactly the same labels.

    Raises:
        DataError: if the labels are not a finite matrix.
    """
    return np.unique(memberships(labels), axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
