"""What a class of things is: how it looks, moves and sounds. One file of `classes/` holds each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from numpy import ndarray

from seehear.world.painting.canvas import Part, Stage
from seehear.world.scenes import Event, Instance, Source

Extent = tuple[float, float, float, float]
CODE_LENGTH = 8
CREST = 5.5


@dataclass(frozen=True)
class Kind:
    """One class.

    Attributes:
        name: the label.
        group: parent class.
        synonyms: other words for captions.
        sounds: sound words for captions.
        rhythm: "impacts" (short events), "strokes" (events that follow each other) or "continuous".
        pitch_range_hz: pitch of the largest and of the smallest body.
        extent: local rectangle that an instance fills; its middle must be that of the visible box, on average
            over a clip, or the audit will see the class in the position.
        draw: the parts of one body in painter's order.
        voice: dry sound of one source, `[samples]` float32 at 16 kHz, silent before its first event.
        follow: where physics sets the further events: all events of an individual, from those its rhythm drew.
        crest: most that its peaks may stand out of its level (RMS over the clip) in the mixture.
    """

    name: str
    group: str
    synonyms: tuple[str, ...]
    sounds: tuple[str, ...]
    rhythm: Literal["impacts", "strokes", "continuous"]
    pitch_range_hz: tuple[float, float]
    extent: Callable[[Instance], Extent]
    draw: Callable[[Stage], list[Part]]
    voice: Callable[[Source, tuple[Event, ...], int], ndarray]
    follow: Callable[[Instance, list[Event]], list[Event]] | None = None
    crest: float = CREST


def between(instance: Instance, place: int, low: float, high: float) -> float:
    """One number of an instance's shape code, brought to a range."""
    return low + instance.code[place] * (high - low)
