"""Difficulty knobs. Colour, texture and light follow the same law at every level; only these numbers change.

Levels 2 and 3 add knobs of their own (see `camera`, `occlusion`, `mimes`), which are off below.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

from seehear.errors import UsageError


@dataclass(frozen=True)
class Level:
    """One row of knobs; ranges are (least, most).

    Attributes:
        bodies: visible objects.
        sources: simultaneous sources.
        silent_share: share of clips that may hold silent distractors.
        off_screen_share: share of clips with an off-screen source.
        sizes: object size in picture widths where it stands alone; further objects shrink it.
        snr_db: sounding mixture over background noise.
        most_covered: share of a body that another may cover, both taken as squares (see `placing`); level 2's keeps
            what is really hidden under half.
        shake: camera shake in picture widths.
        spread: instance spread, 1 is the full shape code; beyond it codes are held at the ends of their range.
        twin_share: share of clips in which a silent body of a sounding body's class stands.
        mime_share: share of clips in which a silent striker moves but misses.
        camera_moves: how many of pan and zoom the camera makes in a shot.
        shots: number of camera shots; between two there is a cut.
        hidden_seconds: for how long a board hides one body whole; 0 is never.
    """

    bodies: tuple[int, int]
    sources: tuple[int, int]
    silent_share: float
    off_screen_share: float
    sizes: tuple[float, float]
    snr_db: tuple[float, float]
    most_covered: float
    shake: float
    spread: float
    twin_share: float = 0.0
    mime_share: float = 0.0
    camera_moves: int = 0
    shots: int = 1
    hidden_seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """The knobs by name; those of higher levels only where they are on."""
        own = dataclasses.fields(self)
        return {f.name: getattr(self, f.name) for f in own if getattr(self, f.name) != f.default}


LEVELS = {
    0: Level((1, 1), (1, 1), 0.0, 0.0, (0.42, 0.8), (30.0, 30.0), 0.0, 0.0, 0.5),
    1: Level((1, 3), (1, 2), 0.5, 0.1, (0.42, 0.8), (10.0, 25.0), 0.2, 0.01, 1.0),
    2: Level(
        (2, 4), (2, 3), 0.5, 0.25, (0.42, 0.8), (0.0, 15.0), 0.3, 0.01, 1.5,
        twin_share=0.5, camera_moves=1,
    ),
    3: Level(
        (3, 5), (3, 4), 0.5, 0.4, (0.42, 0.8), (-5.0, 5.0), 0.5, 0.01, 2.0,
        twin_share=0.5, mime_share=0.5, camera_moves=2, shots=2, hidden_seconds=0.5,
    ),
}  # fmt: skip


def level_of(base: int, split: str) -> int:
    """The level of a split's clips: that of the preset, one more in `test_ood`."""
    return base + (split == "test_ood")


def level(number: int) -> Level:
    """The knobs of a level.

    Raises:
        UsageError: if the level is not built.
    """
    if number not in LEVELS:
        raise UsageError(f"unknown level {number}", expected=f"one of {', '.join(map(str, LEVELS))}")
    return LEVELS[number]
