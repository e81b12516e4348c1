"""Motion laws shared by the classes: what moves is driven by the very events that sound.

Frame t shows the state at its exact time; a mallet touches at the event's start, between frames if need be.

Legend: times `[T]` seconds; results `[T]` float64.
"""

import numpy as np
from numpy import ndarray

from seehear.world.scenes import Event

APPROACH_SECONDS, REBOUND_SECONDS = 0.14, 0.22
MISS = 0.4  # how far from its target a striker turns back that misses (events of kind "miss")


def lift(times: ndarray, events: tuple[Event, ...]) -> ndarray:
    """How far a striker is from its target: 0 at each event's start, 1 raised; quick down, slower up."""
    height = np.ones(len(times))
    for event in events:
        since = times - event.start_seconds
        away = np.where(since < 0, -since / APPROACH_SECONDS, since / REBOUND_SECONDS)
        reach = np.sin(np.clip(away, 0, 1) * np.pi / 2)
        height = np.minimum(height, MISS + (1 - MISS) * reach if event.kind == "miss" else reach)
    return height


def swing(times: ndarray, events: tuple[Event, ...], hertz: float, decay_seconds: float) -> ndarray:
    """Damped swinging set off by each event, amplitude 1 for strength 1, alternating sides."""
    angle = np.zeros(len(times))
    for event in (own for own in events if own.kind != "miss"):  # what is not touched does not swing
        since = np.maximum(times - event.start_seconds, 0)
        sign = 1.0 if event.side else -1.0
        angle += sign * event.strength * np.exp(-since / decay_seconds) * np.sin(2 * np.pi * hertz * since)
    return angle


def active(times: ndarray, events: tuple[Event, ...], edge_seconds: float = 0.04) -> ndarray:
    """1 while an event lasts, 0 outside, with soft edges inside the event."""
    level = np.zeros(len(times))
    for event in events:
        rise = (times - event.start_seconds) / edge_seconds
        fall = (event.stop_seconds - times) / edge_seconds
        level = np.maximum(level, np.clip(np.minimum(rise, fall), 0, 1) * event.strength)
    return level


def strokes(times: ndarray, events: tuple[Event, ...]) -> ndarray:
    """Bow position from -1 to 1: each event draws from one end to the other, in alternating direction."""
    place = np.full(len(times), -1.0 if not events or events[0].side == 0 else 1.0)
    for event in events:
        direction = 1.0 if event.side == 0 else -1.0
        done = (times - event.start_seconds) / (event.stop_seconds - event.start_seconds)
        place = np.where(done >= 0, direction * (2 * np.clip(done, 0, 1) - 1), place)
    return place


def still(count: int) -> ndarray:
    """No shift: zeros `[count, 2]`."""
    return np.zeros((count, 2))
