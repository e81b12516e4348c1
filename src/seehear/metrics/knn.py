"""k-nearest-neighbour classification: a vote weighted by temperature, on cosines.

Each of the k nearest training clips votes for its labels with weight exp(cosine / T) (Wu et al., "Unsupervised feature
learning via non-parametric instance discrimination", CVPR 2018, section 3.4; T = 0.07 there and in DINO). Deviations:
candidates that tie at the k-th place share the places that are left, and votes are divided by their sum, so that they
compare between clips (as mAP needs).

Legend: M training clips, N test clips, D width, C classes.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seehear.errors import UsageError
from seehear.metrics.arrays import memberships
from seehear.metrics.neighbours import neighbour_blocks


def knn_vote(
    train: ArrayLike, train_labels: ArrayLike, test: ArrayLike, k: int = 20, temperature: float = 0.07
) -> NDArray[np.float64]:
    """Votes for each class, `[N, C]` from 0 to 1.

    Args:
        train: `[M, D]`.
        train_labels: `[M, C]` multi-hot.
        test: `[N, D]`.
        k: number of neighbours; all of them where there are fewer.
        temperature: T; the smaller, the more the nearest decide.

    Raises:
        UsageError: if k is below 1 or the temperature is not positive.
        DataError: on input that is not finite or does not fit.
    """
    if not temperature > 0:
        raise UsageError(f"the temperature is {temperature}", expected="a positive number")
    labels = memberships(train_labels, len(np.asarray(train))).astype(np.float64)
    votes = np.empty((len(np.asarray(test)), labels.shape[1]))
    for rows, scores, weights in neighbour_blocks(test, train, k):
        weights *= np.exp((scores - scores.max(axis=1, keepdims=True)) / temperature)
        votes[rows] = weights @ labels / weights.sum(axis=1, keepdims=True)
    return votes
