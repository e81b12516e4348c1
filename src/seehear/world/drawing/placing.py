"""Where several bodies stand: uniform places, drawn again until none covers too much of another.

Every body counts as a square somewhat smaller than its size, which is about what its outline fills.
"""

import numpy as np
from numpy.random import Generator

FILLED = 0.85  # side of the square that stands for a body, in body sizes
INSIDE = 0.46  # body sizes that are kept between a body's middle and the picture's edge
TRIES = 60


def arrange(rng: Generator, sizes: list[float], most_covered: float) -> list[tuple[float, float]]:
    """Middles (x, y) of bodies of these sizes; the first draw within `most_covered`, or the best of `TRIES`."""
    best, least = np.full((len(sizes), 2), 0.5), np.inf
    reach = 0.5 - INSIDE * np.array(sizes)[:, None]
    for _ in range(TRIES):
        places = 0.5 + reach * rng.uniform(-1, 1, (len(sizes), 2))
        worst = covered(places, np.array(sizes))
        if worst < least:
            best, least = places, worst
        if least <= most_covered:
            break
    return [(round(float(x), 6), round(float(y), 6)) for x, y in best]


def covered(places: np.ndarray, sizes: np.ndarray) -> float:
    """The largest share of any body's square that another square covers; places `[N, 2]`, sizes `[N]`."""
    half = sizes * (FILLED / 2)
    low, high = places - half[:, None], places + half[:, None]
    shared = np.maximum(np.minimum(high[:, None], high[None]) - np.maximum(low[:, None], low[None]), 0).prod(axis=2)
    np.fill_diagonal(shared, 0)
    return float((shared / (4 * half**2)[:, None]).max())
