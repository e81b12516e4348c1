"""The lexicon: 40 made-up words of one or two open syllables, and the ten digits in the phonemes that there are.

The made-up words are spelled as they sound ("ae" is one vowel). Each belongs to one part of speech, so that sentences
have a grammar; none of them means anything.
"""

from typing import Literal

from seehear.world.speech.phonemes import PHONEMES

Part = Literal["name", "thing", "deed", "quality"]

WORDS: dict[Part, tuple[str, ...]] = {
    "name": ("mina", "tobi", "raeno", "kuda", "feo", "peri", "sodu", "bao", "nike", "daemu"),
    "thing": ("bado", "pimu", "kefa", "tonae", "rusi", "fabo", "mei", "suka", "dipae", "neru", "taku", "morae"),
    "deed": ("kati", "runo", "bifu", "pea", "soma", "daeke", "fime", "nupo", "tasae", "kio"),
    "quality": ("rafi", "pobae", "dua", "simo", "beku", "naeti", "moe", "fura"),
}
DIGITS: dict[str, tuple[str, ...]] = {
    "zero": ("s", "i", "r", "o"),
    "one": ("u", "a", "n"),
    "two": ("t", "u"),
    "three": ("t", "r", "i"),
    "four": ("f", "o", "r"),
    "five": ("f", "a", "i", "f"),
    "six": ("s", "i", "k", "s"),
    "seven": ("s", "e", "f", "ae", "n"),
    "eight": ("e", "i", "t"),
    "nine": ("n", "a", "i", "n"),
}


def spelled(word: str) -> tuple[str, ...]:
    """The phonemes of a made-up word: its letters, "ae" taken as one."""
    found, rest = [], word
    while rest:
        symbol = rest[:2] if rest[:2] in PHONEMES else rest[0]
        found.append(symbol)
        rest = rest[len(symbol) :]
    return tuple(found)


PRONUNCIATIONS: dict[str, tuple[str, ...]] = {
    **{word: spelled(word) for words in WORDS.values() for word in words},
    **DIGITS,
}
