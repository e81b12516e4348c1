"""Track N: AV-digits, real images of handwritten digits (scikit-learn's) with spoken digits; a semi-real set.

**The images are real, the sound is synthetic; figures on it must say so.** Images and voices are disjoint between
splits, writers cannot be (see `digits.images`). A card with the digit drifts slowly through a room; a voice of its own
says the digit once, 0 to 20 dB above the noise. From level 1 on a second card may show another digit, silent: what is
seen then leaves both (`ambiguous_in` "picture"), what is heard tells.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from seehear.world.digits import images
from seehear.world.drawing.draws import Draws, instance
from seehear.world.drawing.rhythm import FIRST_SECONDS
from seehear.world.drawing.tagging import class_of
from seehear.world.scenes import Body, Scene, Source
from seehear.world.speech import speakers
from seehear.world.speech.utterances import draft, rate_of, timed, visemes
from seehear.world.splits import instances
from seehear.world.tracks.speech import engine_facts

SNR_DB = (0.0, 20.0)
LONGEST_SECONDS = 0.85  # of a spoken digit
SIZES = {1: (0.6, 0.9), 2: (0.42, 0.56)}  # picture widths, by number of cards
TEMPLATES = (
    "someone says {word}",
    "the number {word}, written and said",
    "a handwritten {word}",
    "a voice reads {word} from a card",
    "{word}, says a voice",
    "a card with the digit {word}",
    "one hears {word}",
    "the word {word} is spoken",
    "a written digit, and a voice that says {word}",
    "{word} on a drifting card",
)


def sample(draws: Draws) -> Scene:
    """A clip of track N."""
    word = class_of(draws.preset, draws.split, draws.index, draws.seed)
    names = _cast(draws, word)
    bodies = _cards(draws, names)
    source = _voice(draws)
    engine = draws.preset.speech
    said = draft(draws.stream("word"), (word,), source.instance, engine)
    latest = min(FIRST_SECONDS[1], draws.preset.format.seconds - LONGEST_SECONDS)
    start = float(draws.stream("start").uniform(FIRST_SECONDS[0], latest))
    events, words = timed(said, 0, start, rate_of(source.instance, engine))
    caption, template = _caption(draws.stream("caption"), draws.split, word)
    snr = round(draws.stream("snr").uniform(*SNR_DB), 4)
    facts = {
        "label_single": word,
        "ambiguous_in": "picture" if len(names) > 1 else None,
        "candidates": {"sound": [word], "picture": sorted(names)},
        "digits": {"images": "real", "sounds": "synthetic", "shown": names},
        "speech": {
            "transcript": word,
            "words": words,
            "visemes": visemes(events),
            "speaker": source.instance.number,
            **engine_facts(engine),
            "mouth_source": None,
        },
    }
    return draws.scene(
        bodies,
        (source,),
        labels=(word,),
        events=events,
        noise=dataclasses.replace(draws.noise(), snr_db=snr),
        caption=caption,
        caption_template=template,
        facts=facts,
    )


def _cast(draws: Draws, word: str) -> list[str]:
    """The digits that are shown; the first is the one that is said."""
    rng, knobs = draws.stream("cast"), draws.knobs
    others = [name for name in images.NAMES if name != word]
    second = str(rng.choice(others))
    return [word, second] if knobs.bodies[0] > 1 or rng.uniform() < knobs.silent_share else [word]


def _cards(draws: Draws, names: Sequence[str]) -> tuple[Body, ...]:
    found: list[Body] = []
    for number, name in enumerate(names):
        pool = images.numbers(draws.split, name)
        body = draws.body(number, "digit", len(names), sizes=SIZES[len(names)], pool=pool)
        found.append(dataclasses.replace(body, flip=False))  # digits are not mirrored
    return draws.placed(found)


def _voice(draws: Draws) -> Source:
    """One of the split's speakers, unseen: the sound belongs to the first card."""
    number = int(draws.stream("speaker").choice(speakers.numbers(draws.split)))
    who = instance("face", number, draws.knobs.spread, draws.seed)
    return Source(who, 0, speakers.voice(who).pitch_hz, 0.0, draws.child_seed("source", 0))


def _caption(rng: Generator, split: str, word: str) -> tuple[str, int]:
    """A caption, and the number of its template."""
    number = int(rng.choice(instances(split, len(TEMPLATES))))
    return TEMPLATES[number].format(word=word), number


def baselines(records: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What can be reached without listening, as accuracies over manifest records of this track."""
    left = [len(item["truth"]["candidates"]["picture"]) for item in records]
    labels = [item["truth"]["label_single"] for item in records]
    return {
        "digit": {
            "chance": 1 / len(images.NAMES),
            "majority": round(max(map(labels.count, set(labels))) / len(labels), 4),
            "ceiling_picture": round(float(np.mean([1 / count for count in left])), 4),
            "ceiling_sound": 1.0,
            "ceiling": 1.0,
        }
    }
