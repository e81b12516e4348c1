"""Co-articulation: tract and lips glide from one phoneme's target to the next within 60 ms around their border.

Every target holds while its phoneme lasts; the steps between them are rounded by a Hann window of 60 ms (its integral,
in closed form), so the track can be read at any time. What is left to all phonemes together belongs to rest.

Legend: P phonemes, T times, C channels.
"""

import numpy as np
from numpy import ndarray

GLIDE_SECONDS = 0.06


def shares(times: ndarray, starts: ndarray, stops: ndarray, glide_seconds: float = GLIDE_SECONDS) -> ndarray:
    """How much each phoneme rules at each time, `[P, T]`; the columns add up to 1 inside speech, to 0 far from it."""
    return _passed(times - starts[:, None], glide_seconds) - _passed(times - stops[:, None], glide_seconds)


def _passed(since: ndarray, glide_seconds: float) -> ndarray:
    """0 well before a border, 1 well after it, smooth between."""
    place = np.clip(since / glide_seconds, -0.5, 0.5)
    return 0.5 + place + np.sin(2 * np.pi * place) / (2 * np.pi)


def track(own: ndarray, targets: ndarray, rest: ndarray) -> ndarray:
    """Targets `[P, C]` mixed by their `shares` `[P, T]`, and `rest` `[C]` where nobody rules: `[T, C]`."""
    return own.T @ (targets - rest) + rest
