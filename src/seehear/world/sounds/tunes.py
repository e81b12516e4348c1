"""Tunes: which step of a short scale each event of a player sounds, the same for its picture and for its sound.

A tune belongs to the individual, so that fingers and hands can be seen to play the very notes that are heard.
"""

import numpy as np
from numpy import ndarray

from seehear.world.scenes import Instance
from seehear.world.streams import stream


def tune(instance: Instance, count: int, steps: int) -> ndarray:
    """Scale step `[count]` (0 to `steps` - 1) of each event in order; neighbours always differ."""
    rng = stream(instance.seed, "tune")
    first = rng.integers(steps)
    return (first + np.cumsum(rng.integers(1, steps, count))) % steps
