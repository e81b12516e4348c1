"""The images of handwritten digits that come with scikit-learn: 1,797 of 8 x 8 pixels, about 180 of each digit.

They are the test part of the UCI set "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, 1998). Who wrote
which is not recorded there, so splits cannot be disjoint in writers; they are disjoint in images, drawn once and per
digit.

Legend: I images.
"""

from functools import cache

import numpy as np
from numpy import ndarray

from seehear.world.speech.lexicon import DIGITS
from seehear.world.splits import instances
from seehear.world.streams import stream

NAMES = tuple(DIGITS)
SIDE, FINE = 8, 64  # pixels of an image as it is, and as it is looked up
BRIGHTEST = 16.0
_SHARPNESS = -0.5  # of the cubic kernel


@cache
def _all() -> tuple[ndarray, ndarray]:
    """Ink in 0 to 1, `[I, 8, 8]`, and digits `[I]`."""
    from sklearn.datasets import load_digits

    pixels, shown = load_digits(return_X_y=True)
    return (np.asarray(pixels).reshape(-1, SIDE, SIDE) / BRIGHTEST).astype(np.float32), np.asarray(shown)


def numbers(split: str, name: str) -> list[int]:
    """The images of a digit that a split may use, by number.

    Raises:
        UsageError: if there is no such split.
    """
    own = np.flatnonzero(_all()[1] == NAMES.index(name))
    order = stream("digit images", name).permutation(own)
    return order[list(instances(split, len(order)))].tolist()


def digit(number: int) -> str:
    """What an image shows."""
    return NAMES[int(_all()[1][number])]


def ink(number: int) -> ndarray:
    """An image up-sampled by cubic convolution (Keys, 1981), `[64, 64]` in 0 to 1."""
    weights = _weights()
    return np.clip(weights @ _all()[0][number] @ weights.T, 0, 1)


@cache
def _weights() -> ndarray:
    """How much each of the 8 pixels counts at each of the 64 places, `[64, 8]`; outside the image there is no ink."""
    places = (np.arange(FINE) + 0.5) * SIDE / FINE - 0.5
    away = np.abs(places[:, None] - np.arange(SIDE))
    a = _SHARPNESS
    near = (a + 2) * away**3 - (a + 3) * away**2 + 1
    far = a * away**3 - 5 * a * away**2 + 8 * a * away - 4 * a
    return np.where(away <= 1, near, np.where(away < 2, far, 0.0)).astype(np.float32)
