"""One door to SciPy's linear filter, typed as plain arrays in and out."""

from collections.abc import Sequence

import numpy as np
from numpy import ndarray
from scipy.signal import lfilter


def filtered(numerator: Sequence[float] | ndarray, denominator: Sequence[float] | ndarray, sound: ndarray) -> ndarray:
    """`sound` `[S]` through the filter numerator(z) / denominator(z), starting at rest."""
    return np.asarray(lfilter(np.asarray(numerator), np.asarray(denominator), sound))
