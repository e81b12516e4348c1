"""Sentences of two to five words: orders of parts of speech, split like every other pool, so tests are worded anew."""

from numpy.random import Generator

from seehear.world.speech.lexicon import WORDS, Part
from seehear.world.splits import instances

_LETTERS: dict[str, Part] = {"N": "name", "T": "thing", "D": "deed", "K": "quality"}
TEMPLATES = (
    "N D", "D T", "T D", "N T", "K T", "N D T", "D K T", "K T D", "D N T", "T D K", "N D N", "N D K T", "K N D T",
    "N D T D", "K T D T", "N D N T", "D N K T", "K N D K T", "N T D K T", "K N D N T", "N D K T D",
    "D N", "K T D N", "D N T D K",
    "K D", "N K T", "T D N", "D K T N", "N D T D T", "T D N K T",
)  # fmt: skip


def sentence(rng: Generator, split: str) -> tuple[tuple[str, ...], int]:
    """The words of a sentence, and the number of its template."""
    number = int(rng.choice(instances(split, len(TEMPLATES))))
    parts = (_LETTERS[letter] for letter in TEMPLATES[number].split())
    return tuple(str(rng.choice(WORDS[part])) for part in parts), number
