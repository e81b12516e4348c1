"""Track J: a label that only both modalities together tell, as early fusion needs it (DeepAVFusion, CVPR 2024).

The picture shows one of four shapes, the sound has one of four pitch bins, and the label is the pair. Shape, pitch,
timbre and size are drawn independently: a drum may sound like a frog, and a large body may sound high. So either
modality alone leaves four of the sixteen labels, all equally likely: its ceiling is 1/4.

Bins are a sixth of an octave wide with a third of an octave between them, 220 to 699 Hz in all. The four timbres have a
clear pitch all over that range (a soft drum stick would leave none above). Everything is played in strokes, whose law
is the same for all, on one side: a lute's other string would be another pitch.

`facts`: `factors` (see `_factors`), `ambiguous_in` ("each": either modality alone cannot tell) and `candidates`, the
labels that each leaves.
"""

import dataclasses
from typing import Any

import numpy as np
from numpy.random import Generator

from seehear.world.classes import kind
from seehear.world.drawing import rhythm
from seehear.world.drawing.draws import Draws, instance
from seehear.world.scenes import Body, Event, Scene, Source
from seehear.world.splits import OBJECT_INSTANCES, instances

SHAPES = ("bell", "drum", "lute", "frog")
TIMBRES = ("bell", "lute", "dog", "frog")
PITCH_BINS = 4
LOWEST_HZ, BIN_OCTAVES, GUARD_OCTAVES = 220.0, 1 / 6, 1 / 3
SIZE_EDGES = (0.45, 0.6)  # picture widths between small, medium and large
SHINY = 0.5
TEMPLATES = (
    "a {thing} with the voice of a {voice}",
    "something looks like a {thing} and sounds like a {voice}",
    "what is seen is a {thing}, what is heard a {voice}",
    "a {thing} plays the sound of a {voice}",
    "the {thing} that {sounds} like a {voice}",
    "to the eye a {thing}, to the ear a {voice}",
    "a {voice} is heard from a {thing}",
    "here a {thing} {sounds} as a {voice} does",
    "the voice of a {voice} comes out of a {thing}",
    "a {thing} dubbed with a {voice}",
)


def pitch_range(number: int) -> tuple[float, float]:
    """Lowest and highest pitch of a bin, in Hz."""
    low = LOWEST_HZ * 2 ** (number * (BIN_OCTAVES + GUARD_OCTAVES))
    return low, low * 2**BIN_OCTAVES


def sample(draws: Draws) -> Scene:
    """A clip of track J."""
    pairs = len(SHAPES) * PITCH_BINS
    shape, pitch = divmod(draws.index % pairs, PITCH_BINS)
    timbre = (shape + pitch + draws.turn("timbre", pairs, len(TIMBRES))) % len(TIMBRES)
    source = _source(draws, TIMBRES[timbre], pitch)
    first, *others = draws.bodies(draws.company(SHAPES[shape], SHAPES))
    bodies = (dataclasses.replace(first, pitch_hz=source.pitch_hz), *others)
    said, template = _caption(draws.stream("caption"), draws.split, SHAPES[shape], TIMBRES[timbre])
    return draws.scene(
        bodies,
        (source,),
        labels=(f"shape {shape} pitch {pitch}",),
        events=_events(draws),
        caption=said,
        caption_template=template,
        facts={
            "factors": _factors(bodies[0], source, shape, pitch),
            "ambiguous_in": "each",
            "candidates": {
                "sound": [f"shape {other} pitch {pitch}" for other in range(len(SHAPES))],
                "picture": [f"shape {shape} pitch {other}" for other in range(PITCH_BINS)],
            },
        },
    )


def _source(draws: Draws, timbre: str, pitch: int) -> Source:
    """An individual of a timbre's class, at a pitch of a bin, that sounds for the first body."""
    rng = draws.stream("voice")
    who = int(rng.choice(instances(draws.split, OBJECT_INSTANCES)))
    low, high = pitch_range(pitch)
    hertz = round(low * (high / low) ** rng.uniform(), 4)
    voice = instance(timbre, who, draws.knobs.spread, draws.seed)
    return Source(voice, 0, hertz, 0.0, draws.child_seed("source", 0))


def _events(draws: Draws) -> tuple[Event, ...]:
    drawn = rhythm.schedule(draws.stream("events", 0), "strokes", 0, draws.preset.format.seconds)
    return tuple(dataclasses.replace(event, side=0) for event in drawn)


def _factors(body: Body, source: Source, shape: int, pitch: int) -> dict[str, Any]:
    """What the clip is made of: names of shape, timbre and material (as seen), numbers of the bins."""
    return {
        "shape": body.instance.kind,
        "timbre": source.instance.kind,
        "material": "shiny" if body.instance.gloss > SHINY else "dull",
        "shape_bin": shape,
        "pitch_bin": pitch,
        "size_bin": sum(body.size > edge for edge in SIZE_EDGES),
    }


def _caption(rng: Generator, split: str, shape: str, timbre: str) -> tuple[str, int]:
    """A caption, and the number of its template."""
    number = int(rng.choice(instances(split, len(TEMPLATES))))
    words = {
        "thing": str(rng.choice(kind(shape).synonyms)),
        "voice": str(rng.choice(kind(timbre).synonyms)),
        "sounds": str(rng.choice(kind(timbre).sounds)),
    }
    return TEMPLATES[number].format(**words), number


def baselines(records: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """What can be reached without fusion, as accuracies over manifest records."""
    left = [record["truth"]["candidates"] for record in records]
    return {
        "joint label": {
            "chance": 1 / (len(SHAPES) * PITCH_BINS),
            **{
                f"ceiling of the {modality} alone": round(float(np.mean([1 / len(own[modality]) for own in left])), 4)
                for modality in ("sound", "picture")
            },
            "ceiling": 1.0,
        }
    }
