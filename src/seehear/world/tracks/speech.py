"""Track K: a visible speaker says a sentence; emotion, words, phonemes, mouth and speaker are known.

The label is the emotion. In a third of the clips voice and face show it, in a third only the voice, in a third only the
face; the other modality is then neutral, and nothing in it depends on the label. So a modality that is neutral leaves
all four emotions (`facts["candidates"]`), neutral itself with probability 1/2 and the others with 1/6 each: either
modality alone can reach 3/4. `ambiguous_in` names the modality that does not show it, or "each" where the emotion is
neutral. The rate of speech shows in the mouth, so only where both show the emotion does it change the rate.

For recognising words and speakers: sentences of test clips have templates, speakers and individuals of their own.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from seehear.world.drawing.draws import Draws
from seehear.world.drawing.placing import arrange
from seehear.world.drawing.rhythm import FIRST_SECONDS
from seehear.world.drawing.tagging import class_of
from seehear.world.painting.picture import Pictures
from seehear.world.scenes import Body, Scene
from seehear.world.speech import espeak, speakers
from seehear.world.speech.emotions import EMOTIONS, NEUTRAL, PROSODIES, SLOWEST
from seehear.world.speech.utterances import LAST_SECONDS, Draft, draw_sentence, rate_of, timed, visemes
from seehear.world.truth.facts import boxes

SHOWN = ("both", "voice", "face")
SIZES = {1: (0.64, 0.94), 2: (0.44, 0.52), 3: (0.36, 0.42)}  # picture widths, by number of faces
MOST_CONSTANTS = 64  # transcripts that are tried as the constant one


def sample(draws: Draws) -> Scene:
    """A clip of track K."""
    emotion = class_of(draws.preset, draws.split, draws.index, draws.seed)
    shown = SHOWN[draws.turn("shown", len(EMOTIONS), len(SHOWN))] if emotion != NEUTRAL else "both"
    bodies = _faces(draws, emotion if shown != "voice" else NEUTRAL)
    who, heard = bodies[0].instance, emotion if shown != "face" else NEUTRAL
    source = dataclasses.replace(draws.source(bodies[0], 0), manner=heard)
    said = draw_sentence(draws, who)
    rate = rate_of(who, draws.preset.speech)
    if shown == "both" and draws.preset.speech != espeak.ENGINE:
        rate *= PROSODIES[emotion].rate
    events, words = timed(said, 0, start_seconds(draws, said, rate_of(who, draws.preset.speech)), rate)
    facts = {
        "label_single": emotion,
        "ambiguous_in": {"both": None, "voice": "picture", "face": "sound"}[shown] if emotion != NEUTRAL else "each",
        "candidates": {
            "sound": [emotion] if heard != NEUTRAL else sorted(EMOTIONS),
            "picture": [emotion] if bodies[0].manner != NEUTRAL else sorted(EMOTIONS),
        },
        "speech": {
            "transcript": " ".join(said.words),
            "template": said.template,
            "words": words,
            "visemes": visemes(events),
            "speaker": who.number,
            "object": 0,
            "emotion": emotion,
            "emotion_in": shown,
            "faces": [body.manner for body in bodies],
            **engine_facts(draws.preset.speech),
        },
    }
    return draws.scene(bodies, (source,), labels=(emotion,), events=events, facts=facts)


def engine_facts(engine: str) -> dict[str, str]:
    """Who spoke, and what the mouth follows."""
    return {"engine": engine, "mouth_source": "envelope" if engine == espeak.ENGINE else "phonemes"}


def start_seconds(draws: Draws, said: Draft, rate: float) -> float:
    """When the speech begins: one law for all emotions, which leaves room for the slowest."""
    latest = draws.preset.format.seconds - LAST_SECONDS - said.seconds / (rate * SLOWEST)
    return float(draws.stream("start").uniform(FIRST_SECONDS[0], min(FIRST_SECONDS[1], latest)))


def _faces(draws: Draws, shown: str) -> tuple[Body, ...]:
    """The speaker's face, and silent ones beside it whose emotion has nothing to do with the label.

    At no level does a face stand before another one: the mouth is what is to be seen.
    """
    rng, knobs = draws.stream("company"), draws.knobs
    count = min(max(SIZES), knobs.bodies[0] + int(rng.uniform() < knobs.silent_share))
    manners = [shown, *(str(rng.choice(EMOTIONS)) for _ in range(count - 1))]
    found: list[Body] = []
    for number, manner in enumerate(manners):
        taken = {("face", body.instance.number) for body in found}
        pool = speakers.numbers(draws.split)
        body = draws.body(number, "face", count, taken, SIZES[count], pool=pool)
        own = speakers.voice(body.instance).pitch_hz
        found.append(dataclasses.replace(body, pitch_hz=own, flip=False, manner=manner))
    if count == 1:
        return tuple(found)
    places = arrange(draws.stream("places"), [body.size for body in found], 0.0)
    return tuple(dataclasses.replace(body, x=x, y=y) for body, (x, y) in zip(found, places, strict=True))


def measure(scene: Scene, pictures: Pictures, stems: dict[str, ndarray]) -> dict[str, Any]:
    """The speaker's mouth: `speech.mouth_boxes`."""
    del stems
    speech = scene.facts["speech"]
    seen = pictures.parts.get((speech["object"], "mouth"))
    count = scene.format.frames
    found = np.zeros((count, 4)) if seen is None else boxes(seen)  # removed by an intervention
    return {"speech": speech | {"mouth_boxes": np.round(found, 4).tolist()}}


def baselines(records: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What can be reached without listening or looking, over manifest records of this track.

    Returns:
        "emotion": accuracies of `chance`, of the `majority`, and the ceilings of either modality alone (the most
        frequent emotion among clips in which it shows the same) and of both; "words": `constant_cer`, the character
        error rate (errors per character) of the best of some training transcripts said to every clip of the other
        splits (of one split alone: of its own transcripts, to its own clips), and that transcript; "speaker":
        `chance_eer`, the equal error rate of guessing.
    """
    labels = [item["truth"]["speech"]["emotion"] for item in records]
    told = [item["truth"]["speech"] for item in records]
    seen = [fact["emotion"] if fact["emotion_in"] != "voice" else NEUTRAL for fact in told]
    heard = [fact["emotion"] if fact["emotion_in"] != "face" else NEUTRAL for fact in told]
    return {
        "emotion": {
            "chance": 1 / len(EMOTIONS),
            "majority": _best_guess([""] * len(labels), labels),
            "ceiling_sound": _best_guess(heard, labels),
            "ceiling_picture": _best_guess(seen, labels),
            "ceiling": 1.0,
        },
        "words": _constant(records),
        "speaker": {"chance_eer": 0.5},
    }


def _best_guess(clues: Sequence[str], labels: Sequence[str]) -> float:
    """Share of clips that the most frequent label among clips of the same clue gets right."""
    pairs = list(zip(clues, labels, strict=True))
    right = sum(max(pairs.count((clue, label)) for label in set(labels)) for clue in set(clues))
    return round(right / len(pairs), 4)


def _constant(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The best constant transcript and its character error rate; of one split alone, on that split itself."""
    texts = [(item["split"], item["truth"]["speech"]["transcript"]) for item in records]
    known = list(dict.fromkeys(text for split, text in texts if split == "train"))
    asked = [text for split, text in texts if split != "train"]
    known, asked = known or list(dict.fromkeys(asked)), asked or [text for _, text in texts]
    tried = known[:: -(-len(known) // MOST_CONSTANTS)]
    errors = [int(edits(text, asked).sum()) for text in tried]
    best = int(np.argmin(errors))
    return {"constant_cer": round(errors[best] / sum(map(len, asked)), 4), "constant": tried[best]}


def edits(guess: str, texts: Sequence[str]) -> ndarray:
    """Levenshtein distance from one text to each of some texts, `[texts]`; all of them advance together."""
    longest = max(map(len, texts), default=0)
    letters = np.array([[ord(letter) for letter in text.ljust(longest, "\0")] for text in texts]).reshape(-1, longest)
    row = np.tile(np.arange(longest + 1), (len(texts), 1))
    for place, letter in enumerate(guess, start=1):
        step = np.minimum(row[:, 1:] + 1, row[:, :-1] + (letters != ord(letter)))
        row = np.concatenate([np.full((len(texts), 1), place), step], axis=1)
        ahead = np.arange(longest + 1)
        row = np.minimum.accumulate(row - ahead, axis=1) + ahead
    return row[np.arange(len(texts)), [len(text) for text in texts]]
