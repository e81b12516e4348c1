"""Modality gap: how far the clouds of sound and picture embeddings lie apart (Liang et al., NeurIPS 2022).

Legend: N clips, D width.
"""

import numpy as np
from numpy.typing import ArrayLike

from seehear.errors import DataError
from seehear.metrics.arrays import unit_rows


def modality_gap(audio: ArrayLike, image: ArrayLike) -> float:
    """Distance between the means of the L2-normalised embeddings `[N, D]`: 0 (same place) to 2 (opposite points).

    Raises:
        DataError: if either is not a finite matrix, or the widths differ.
    """
    left, right = unit_rows(audio, "audio embeddings"), unit_rows(image, "image embeddings")
    if left.shape[1] != right.shape[1]:
        raise DataError(f"audio embeddings are {left.shape[1]} wide", expected=f"{right.shape[1]} as the image's")
    return float(np.linalg.norm(left.mean(axis=0) - right.mean(axis=0)))
