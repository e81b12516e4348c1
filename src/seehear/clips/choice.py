"""Which stretch of a clip is heard and which of its frames are seen: keyed in training, fixed in evaluation.

Sound and frames come from one window, so that what is seen belongs to what is heard.
Legend: F frames on offer, T frames taken.
"""

from typing import Protocol

import numpy as np

from seehear.errors import UsageError


class FrameChoice(Protocol):
    """Chooses a window of the sound and frames within it."""

    def start(self, available_seconds: float, wanted_seconds: float) -> float:
        """Where a window of `wanted_seconds` begins in `available_seconds` of sound; 0 where all of it fits."""
        ...

    def order(self, count: int) -> np.ndarray | None:
        """Preference among `count` frames, best first, int64 `[count]`; None spreads them evenly."""
        ...


class FixedChoice:
    """The clip's beginning, and frames spread evenly over it (the middle one where a single one is asked for)."""

    def start(self, available_seconds: float, wanted_seconds: float) -> float:
        """Always 0."""
        return 0.0

    def order(self, count: int) -> np.ndarray | None:
        """No preference: evenly spread."""
        return None


FIXED = FixedChoice()


class DrawnChoice:
    """A choice made by draws that the caller took from keyed randomness.

    Args:
        window: in [0, 1): where the window lies among its possible places.
        draws: `[F]` at least as many as a clip has frames; the frames with the smallest draws are taken.
    """

    def __init__(self, window: float, draws: np.ndarray):
        self.window, self.draws = window, draws

    def start(self, available_seconds: float, wanted_seconds: float) -> float:
        """The drawn place, uniform over all places where the window fits."""
        return self.window * max(0.0, available_seconds - wanted_seconds)

    def order(self, count: int) -> np.ndarray | None:
        """Frames by rising draw."""
        if count > len(self.draws):
            raise UsageError(f"{len(self.draws)} draws for {count} frames", expected="one draw for each frame")
        return np.argsort(self.draws[:count], kind="stable")


def choose_frames(
    frame_seconds: np.ndarray, count: int, choice: FrameChoice, window: tuple[float, float] | None = None
) -> np.ndarray:
    """Places of the `count` frames to take, in time order, int64 `[count]`.

    Args:
        frame_seconds: `[F]` rising times of the frames on offer, at least one.
        count: frames wanted; with fewer on offer every one is taken and some are repeated evenly.
        choice: how to choose.
        window: (start, end) in seconds; only frames shown within it count. Where there are none, the frame that is on
            show at its start stands for it.
    """
    first, last = 0, len(frame_seconds)
    if window is not None:
        first, last = (int(i) for i in np.searchsorted(frame_seconds, np.asarray(window) - 1e-6, side="left"))
        if first == last:
            first = max(0, first - 1)
            last = first + 1
    offered = last - first
    order = choice.order(len(frame_seconds)) if count < offered else None
    if order is None:
        return first + ((np.arange(count) + 0.5) * offered / count).astype(np.int64)
    inside = order[(order >= first) & (order < last)]
    return np.sort(inside[:count])
