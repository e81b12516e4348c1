"""Utterances: words as timed phonemes, or as timed words of the external engine.

A draft holds how long everything lasts at rate 1; emotion and speaker only divide it by their rates, so a draft, its
words and its start can be drawn without knowing the emotion. After a pause a stop begins with its burst: that its
closure is silent could not be heard.
"""

from dataclasses import dataclass

from numpy.random import Generator

from seehear.errors import UsageError
from seehear.world.drawing.draws import Draws
from seehear.world.drawing.rhythm import FIRST_SECONDS
from seehear.world.scenes import Event, Instance
from seehear.world.speech import espeak
from seehear.world.speech.emotions import SLOWEST
from seehear.world.speech.grammar import sentence
from seehear.world.speech.lexicon import PRONUNCIATIONS
from seehear.world.speech.phonemes import PHONEMES
from seehear.world.speech.speakers import voice
from seehear.world.speech.synthesis import release_seconds

GAP_SECONDS = (0.03, 0.1)
STRESSED, UNSTRESSED = (0.8, 1.0), (0.5, 0.7)  # strengths of a word's first syllable, and of the others
STRESS_LENGTHENS, END_LENGTHENS, SPREAD = 1.15, 1.25, 0.1
LAST_SECONDS = 0.1  # after the last word
TRIES = 100


@dataclass(frozen=True)
class Draft:
    """Words that will be said: per word the pause before it and its units (kind, seconds at rate 1, strength)."""

    words: tuple[str, ...]
    pauses: tuple[float, ...]
    units: tuple[tuple[tuple[str, float, float], ...], ...]
    template: int | None = None

    @property
    def seconds(self) -> float:
        """How long it takes at rate 1, without the pause before its first word."""
        return sum(self.pauses[1:]) + sum(seconds for word in self.units for _, seconds, _ in word)


def draft(rng: Generator, words: tuple[str, ...], who: Instance, engine: str, template: int | None = None) -> Draft:
    """Draw how the words will be said."""
    pauses = tuple(rng.uniform(*GAP_SECONDS) for _ in words)
    if engine == espeak.ENGINE:
        units = tuple(((word, espeak.seconds(word, who), rng.uniform(*STRESSED)),) for word in words)
    else:
        units = tuple(_phonemes(rng, word, last=k == len(words) - 1) for k, word in enumerate(words))
    return Draft(words, pauses, units, template)


def _phonemes(rng: Generator, word: str, last: bool) -> tuple[tuple[str, float, float], ...]:
    stressed, found = True, []
    symbols = PRONUNCIATIONS[word]
    for place, symbol in enumerate(symbols):
        own = PHONEMES[symbol]
        if place and own.manner != "vowel" and "vowel" in (PHONEMES[before].manner for before in symbols[:place]):
            stressed = False
        seconds = own.seconds * 2 ** (SPREAD * rng.standard_normal())
        if own.manner == "stop" and place == 0:
            seconds = release_seconds(own)
        elif own.manner == "vowel":
            seconds *= (STRESS_LENGTHENS if stressed else 1.0) * (END_LENGTHENS if last else 1.0)
        found.append((symbol, seconds, rng.uniform(*(STRESSED if stressed else UNSTRESSED))))
    return tuple(found)


def rate_of(who: Instance, engine: str) -> float:
    """What the individual divides a draft's times by; the external engine speaks at the individual's rate itself."""
    return 1.0 if engine == espeak.ENGINE else voice(who).rate


def draw_sentence(draws: Draws, who: Instance) -> Draft:
    """A sentence that fits into the clip in any emotion.

    Raises:
        UsageError: if none does.
    """
    engine = draws.preset.speech
    room = (draws.preset.format.seconds - FIRST_SECONDS[0] - LAST_SECONDS) * SLOWEST * rate_of(who, engine)
    for attempt in range(TRIES):
        rng = draws.stream("sentence", attempt)
        said = draft(rng, *(drawn := sentence(rng, draws.split))[:1], who, engine, drawn[1])
        if said.seconds <= room:
            return said
    raise UsageError(f"no sentence fits into clips of {draws.preset.format.seconds} s", expected="1.6 s or more")


def timed(said: Draft, source: int, start: float, rate: float) -> tuple[tuple[Event, ...], list[dict]]:
    """The events of a draft that begins at `start`, and its words with `t_on` and `t_off`."""
    events: list[Event] = []
    words, now = [], start
    for number, (word, units) in enumerate(zip(said.words, said.units, strict=True)):
        now += said.pauses[number] / rate if number else 0.0
        begun = now
        for unit, seconds, strength in units:
            stop = now + seconds / rate
            events.append(Event(source, unit, round(now, 6), round(stop, 6), round(strength, 6), 0))
            now = stop
        words.append({"word": word, "t_on": round(begun, 6), "t_off": round(now, 6)})
    return tuple(events), words


def visemes(events: tuple[Event, ...]) -> list[dict]:
    """What the mouth shows, neighbours of one kind taken together; none where phonemes are not known."""
    found: list[dict] = []
    for event in events:
        if event.kind not in PHONEMES:
            continue
        name = PHONEMES[event.kind].viseme
        if found and found[-1]["viseme"] == name and found[-1]["t_off"] == event.start_seconds:
            found[-1]["t_off"] = event.stop_seconds
        else:
            found.append({"viseme": name, "t_on": event.start_seconds, "t_off": event.stop_seconds})
    return found
