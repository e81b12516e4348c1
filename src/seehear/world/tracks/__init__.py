"""The tracks of the world: one sampler of scenes each, all drawn, painted and sounded by the same engine.

To add one: write its file here with `sample(draws) -> Scene` and enter it in `TRACKS`. Facts that only what was painted
and sounded can tell come from its `measure(scene, pictures, stems)`, if it has one; they replace the scene's.
Reserved letters: T (text), W (web-like pool), D (domains), M (meshes).
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seehear.configuration import unknown_name
from seehear.world.speech.emotions import EMOTIONS
from seehear.world.speech.lexicon import DIGITS

if TYPE_CHECKING:
    from numpy import ndarray

    from seehear.world.drawing.draws import Draws
    from seehear.world.painting.picture import Pictures
    from seehear.world.scenes import Scene


@dataclass(frozen=True)
class Track:
    """One track.

    Attributes:
        name: what it is called, and its file here.
        summary: what it is for.
        seconds: length of its clips; None for the preset's.
        frames_per_second: None for the preset's.
        labels: what its clips count as, in order; None for the preset's classes.
        arrays: which truth arrays a build stores by default, of "masks" and "stems".
    """

    name: str
    summary: str
    seconds: float | None = None
    frames_per_second: tuple[int, int] | None = None
    labels: tuple[str, ...] | None = None
    arrays: tuple[str, ...] = ()


IN_STEP = (  # classes whose every sound has a visible moment and no regular beat
    "bell", "wood bar", "drum", "lute", "fiddle", "bird", "glass cup", "ceramic bell", "harp", "flute", "horn",
    "shaker", "dog", "frog",
)  # fmt: skip
PAIRS = tuple(f"shape {shape} pitch {pitch}" for shape in range(4) for pitch in range(4))

ACTIONS = (
    "break cup", "switch lamp", "slam door", "fill jar", "pop balloon", "hammer nail", "blow out candle", "close pot",
)  # fmt: skip


TRACKS: dict[str, Track] = {
    "A": Track("core", "things that sound: classification, tagging and retrieval"),
    "L": Track("localisation", "which of the things that are seen sounds, and where it is", arrays=("masks",)),
    "P": Track("separation", "two or three things sound together, each with its stem", arrays=("stems", "masks")),
    "J": Track("joint", "shape and pitch as one label, which needs both modalities", labels=PAIRS, arrays=("masks",)),
    "Y": Track("sync", "sound in step, or shifted: sync and animation", 4.8, (25, 1), IN_STEP),
    "S": Track("stream", "a correlated, drifting stream: learning without shuffled data"),
    "K": Track("speech", "faces that speak: words, speakers, emotions", 3.2, labels=EMOTIONS),
    "N": Track("digits", "real handwritten digits with synthetic spoken ones", labels=tuple(DIGITS)),
    "I": Track(
        "interactions", "hands that change the state of things, heard or not", 4.8, labels=ACTIONS, arrays=("masks",)
    ),
}


def track(letter: str) -> Track:
    """The track of a letter.

    Raises:
        UsageError: if there is no such track.
    """
    if letter not in TRACKS:
        raise unknown_name(f"track {letter!r}", letter, TRACKS)
    return TRACKS[letter]


def sampler(letter: str) -> "Callable[[Draws], Scene]":
    """The function that draws a clip of a track.

    Raises:
        UsageError: if there is no such track.
    """
    return importlib.import_module(f"seehear.world.tracks.{track(letter).name}").sample


def facts(scene: "Scene", pictures: "Pictures", stems: "dict[str, ndarray]") -> dict[str, Any]:
    """The facts of a clip: those of its scene, and those that its track measures."""
    own = importlib.import_module(f"seehear.world.tracks.{track(scene.track).name}")
    return scene.facts | (own.measure(scene, pictures, stems) if hasattr(own, "measure") else {})
