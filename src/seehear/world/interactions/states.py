"""What the things of this room share: their states in time, shaking when touched, and parts with several pictures.

Events of a thing are of kind "contact" (it is touched and stays as it is) or "change" (its state begins to change).
A hand's are of kind "touch" or "miss" (it comes near and turns back).

Legend: T frames, U different pictures of a part.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent
from seehear.world.painting.canvas import Brush, Part, Stage
from seehear.world.painting.motion import swing
from seehear.world.scenes import Event, Instance

CONTACT, CHANGE, TOUCH, MISS = "contact", "change", "touch", "miss"
QUIET_SECONDS = 0.6  # after it a touched thing stands still again


@dataclass(frozen=True)
class Action:
    """What a hand does to a thing.

    Attributes:
        verb: what it is called.
        states: names of the thing's states, in the order in which they are passed.
        touched: local point that the hand touches, of an individual in a state.
        delay_seconds: from the touch to the change: what is pushed falls first.
        change_seconds: how long the change takes.
        turns: whether the last state leads back to the first.
        tool: the class of what touches it.
    """

    verb: str
    states: tuple[str, ...]
    touched: Callable[[Instance, str], tuple[float, float]]
    delay_seconds: float = 0.0
    change_seconds: float = 0.0
    turns: bool = False
    tool: str = "hand"

    def after(self, state: str) -> str | None:
        """The state that follows, or None after the last."""
        following = self.states.index(state) + 1
        if following == len(self.states) and not self.turns:
            return None
        return self.states[following % len(self.states)]


def of_kind(events: tuple[Event, ...], kind: str) -> tuple[Event, ...]:
    """The events of one kind, in order of time."""
    return tuple(sorted((event for event in events if event.kind == kind), key=lambda event: event.start_seconds))


def place(stage: Stage, action: Action, seconds: float = 0.0) -> ndarray:
    """Which state a body is in, as a number `[T]` float64: a change counts from 0 to 1 over `seconds`."""
    result = np.full(len(stage.times), float(action.states.index(stage.body.manner or action.states[0])))
    for event in of_kind(stage.events, CHANGE):
        since = stage.times - event.start_seconds
        result += np.clip(since / seconds, 0, 1) if seconds else since >= 0
    return result


def since_change(stage: Stage, never: float = -1e3) -> ndarray:
    """Seconds since the only change `[T]`, negative before it; `never` where there is none."""
    found = of_kind(stage.events, CHANGE)
    return stage.times - found[0].start_seconds if found else np.full(len(stage.times), never)


def shaken(stage: Stage, hertz: float, decay_seconds: float = 0.1) -> ndarray:
    """Damped shaking `[T]` after each contact, amplitude 1 for strength 1; still again after `QUIET_SECONDS`."""
    result = np.zeros(len(stage.times))
    for event in of_kind(stage.events, CONTACT):
        own = swing(stage.times, (event,), hertz, decay_seconds)
        result += np.where(stage.times - event.start_seconds < QUIET_SECONDS, own, 0.0)
    return result


def painted(stage: Stage, extent: Extent, values: ndarray, paint: Callable[[Brush, float], None]) -> Part:
    """A part that looks different for each of the `values` `[T]`: each look is painted once."""
    unique, shown = np.unique(values, return_inverse=True)
    brushes = [stage.still(extent) for _ in unique]
    for brush, value in zip(brushes, unique, strict=True):
        paint(brush, float(value))
    return Part(brushes[0].row, brushes[0].column, np.stack([b.rgba for b in brushes]), shown.reshape(-1))


def vanishing(part: Part, gone: ndarray) -> Part:
    """The same part, not shown in the frames `[T]` where it is gone."""
    nothing = np.zeros((1, *part.rgba.shape[1:]), np.float32)
    shown = np.where(gone, len(part.rgba), part.shown)
    return Part(part.row, part.column, np.concatenate([part.rgba, nothing]), shown, part.in_mask)
