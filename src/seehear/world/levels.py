"""Difficulty knobs. Colour, texture and light follow the same law at every level; only these numbers change.

Levels 0 and 1 are built; higher ones add rows here (and what they need elsewhere).
"""

from dataclasses import dataclass

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
        most_covered: share of a body that another may cover.
        shake: camera shake in picture widths.
        spread: instance spread, 1 is the full shape code.
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


LEVELS = {
    0: Level((1, 1), (1, 1), 0.0, 0.0, (0.42, 0.8), (30.0, 30.0), 0.0, 0.0, 0.5),
    1: Level((1, 3), (1, 2), 0.5, 0.1, (0.42, 0.8), (10.0, 25.0), 0.2, 0.01, 1.0),
}


def level(number: int) -> Level:
    """The knobs of a level.

    Raises:
        UsageError: if the level is not built.
    """
    if number not in LEVELS:
        raise UsageError(f"unknown level {number}", expected=f"one of {', '.join(map(str, LEVELS))}")
    return LEVELS[number]
