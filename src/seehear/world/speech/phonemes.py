"""Phonemes: what the tract and the lips aim at for each of 6 vowels and 10 consonants.

Vowel formants are the men's means of Peterson and Barney (JASA 1952, table II); o is their vowel of "hawed".
Consonants follow the locus view of place of articulation (Delattre, Liberman and Cooper, JASA 1955): lips pull the
second formant down, the tongue tip to about 1,800 Hz, the back of the tongue to the third formant.

Legend: frequencies in Hz for a tract of factor 1; mouth shapes 0 to 1.
"""

from dataclasses import dataclass
from typing import Literal

Manner = Literal["vowel", "stop", "fricative", "nasal", "glide"]


@dataclass(frozen=True)
class Mouth:
    """A shape of the lips: how far apart, how wide, how rounded."""

    opening: float
    width: float
    rounding: float


@dataclass(frozen=True)
class Phoneme:
    """One speech sound.

    Attributes:
        manner: how it is made.
        formants_hz: the first three resonances that the tract aims at.
        seconds: how long it lasts at rate 1, unstressed.
        voicing: strength of the voice, 0 to 1 (of a stop: behind the closed lips or tongue).
        noise_hz: middle of what hisses (of a stop: of its burst), or 0.
        noise_width_hz: its width.
        noise: its strength.
        mouth: shape of the lips.
        viseme: what it looks like; phonemes of one viseme share their mouth.
    """

    manner: Manner
    formants_hz: tuple[float, float, float]
    seconds: float
    voicing: float
    noise_hz: float
    noise_width_hz: float
    noise: float
    mouth: Mouth
    viseme: str


MOUTHS = {
    "rest": Mouth(0.0, 0.5, 0.15),
    "lips": Mouth(0.0, 0.45, 0.2),
    "lip and teeth": Mouth(0.12, 0.55, 0.05),
    "tongue tip": Mouth(0.25, 0.65, 0.0),
    "tongue back": Mouth(0.38, 0.5, 0.1),
    "curled": Mouth(0.3, 0.3, 0.55),
    "wide open": Mouth(1.0, 0.6, 0.1),
    "open": Mouth(0.7, 0.85, 0.0),
    "half open": Mouth(0.5, 0.8, 0.0),
    "spread": Mouth(0.26, 1.0, 0.0),
    "round": Mouth(0.6, 0.25, 0.8),
    "pursed": Mouth(0.28, 0.0, 1.0),
}


def _vowel(first: float, second: float, third: float, viseme: str, seconds: float = 0.12) -> Phoneme:
    return Phoneme("vowel", (first, second, third), seconds, 1.0, 0.0, 0.0, 0.0, MOUTHS[viseme], viseme)


def _stop(second: float, third: float, voicing: float, burst: tuple[float, float, float], viseme: str) -> Phoneme:
    seconds = 0.075 if voicing else 0.1
    return Phoneme("stop", (230.0, second, third), seconds, voicing, *burst, MOUTHS[viseme], viseme)


PHONEMES: dict[str, Phoneme] = {
    "a": _vowel(730, 1090, 2440, "wide open", 0.13),
    "ae": _vowel(660, 1720, 2410, "open", 0.13),
    "e": _vowel(530, 1840, 2480, "half open"),
    "i": _vowel(270, 2290, 3010, "spread", 0.11),
    "o": _vowel(570, 840, 2410, "round"),
    "u": _vowel(300, 870, 2240, "pursed", 0.11),
    "p": _stop(900, 2200, 0.0, (900, 1400, 0.8), "lips"),
    "b": _stop(900, 2200, 0.3, (700, 1200, 0.5), "lips"),
    "t": _stop(1800, 2700, 0.0, (4200, 2200, 1.0), "tongue tip"),
    "d": _stop(1800, 2700, 0.3, (3700, 2000, 0.6), "tongue tip"),
    "k": _stop(1950, 2250, 0.0, (1900, 700, 1.0), "tongue back"),
    "m": Phoneme("nasal", (260, 1000, 2200), 0.075, 0.55, 0.0, 0.0, 0.0, MOUTHS["lips"], "lips"),
    "n": Phoneme("nasal", (270, 1600, 2600), 0.07, 0.55, 0.0, 0.0, 0.0, MOUTHS["tongue tip"], "tongue tip"),
    "f": Phoneme("fricative", (320, 1150, 2200), 0.1, 0.0, 3500, 6000, 0.25, MOUTHS["lip and teeth"], "lip and teeth"),
    "s": Phoneme("fricative", (320, 1700, 2600), 0.11, 0.0, 5600, 1600, 0.5, MOUTHS["tongue tip"], "tongue tip"),
    "r": Phoneme("glide", (340, 1200, 1600), 0.075, 0.65, 0.0, 0.0, 0.0, MOUTHS["curled"], "curled"),
}  # fmt: skip
VOWELS = tuple(symbol for symbol, own in PHONEMES.items() if own.manner == "vowel")
CONSONANTS = tuple(symbol for symbol in PHONEMES if symbol not in VOWELS)
VISEMES = tuple(dict.fromkeys(own.viseme for own in PHONEMES.values()))
