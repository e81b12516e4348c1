"""Speakers: 60 individuals, 40 for training, 8 for validation, 12 for test; each has one voice and one face.

Voice and face are both functions of the individual alone, so a voice belongs to a face and a face to a voice.
"""

from dataclasses import dataclass

from seehear.configuration import unknown_name
from seehear.world.scenes import Instance
from seehear.world.splits import SPLITS
from seehear.world.streams import stream

LOWEST_HZ, HIGHEST_HZ = 85.0, 260.0
SHORTEST_TRACT, LONGEST_TRACT = 0.85, 1.2
TRACT_FROM_PITCH = 0.75  # share of the tract's length that goes with the pitch: low voices come from long tracts
_NUMBERS = {
    "train": range(40),
    "test_iid": range(40),
    "val": range(40, 48),
    "test": range(48, 60),
    "test_ood": range(48, 60),
}


@dataclass(frozen=True)
class Voice:
    """How an individual speaks.

    Attributes:
        pitch_hz: mean pitch of neutral speech.
        tract: length of the vocal tract; formants are divided by it.
        breathiness: 0 to 1, noise that goes with the voice.
        rate: speed of speech, 1 is average.
        jitter: deviation of neighbouring periods.
    """

    pitch_hz: float
    tract: float
    breathiness: float
    rate: float
    jitter: float


def numbers(split: str) -> range:
    """The speakers of a split.

    Raises:
        UsageError: if there is no such split.
    """
    if split not in _NUMBERS:
        raise unknown_name(f"split {split!r}", split, SPLITS)
    return _NUMBERS[split]


def voice(who: Instance) -> Voice:
    """The voice of an individual."""
    rng = stream(who.seed, "speaker")
    high, own = rng.uniform(), rng.uniform()
    length = TRACT_FROM_PITCH * (1 - high) + (1 - TRACT_FROM_PITCH) * own
    return Voice(
        pitch_hz=round(LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ) ** high, 4),
        tract=round(SHORTEST_TRACT + (LONGEST_TRACT - SHORTEST_TRACT) * length, 6),
        breathiness=round(rng.uniform(0.0, 1.0), 6),
        rate=round(rng.uniform(0.9, 1.15), 6),
        jitter=round(rng.uniform(0.004, 0.02), 6),
    )
