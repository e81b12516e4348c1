"""eSpeak NG as another engine: the external command, called word by word, never part of this package.

Every word is spoken apart, so its time is known; the phonemes inside it are not, and the mouth follows the envelope of
how the speaker says the word in no emotion, so that the face does not show what only the voice tells. Emotions change
pitch and tilt. The command is the user's own; its licence is the GPL.

Legend: S samples, L samples of one word, T times.
"""

import subprocess
from functools import lru_cache

import numpy as np
from numpy import ndarray
from scipy.signal import resample_poly

from seehear.errors import DataError, UsageError
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.levels import SAMPLE_RATE, edges, span, unit_peak
from seehear.world.speech import ENGINES
from seehear.world.speech.lexicon import DIGITS, PRONUNCIATIONS
from seehear.world.speech.phonemes import VOWELS
from seehear.world.speech.speakers import voice
from seehear.world.speech.synthesis import prosody_of, tilted

ENGINE, COMMAND = ENGINES[1], "espeak-ng"
LIMIT_SECONDS = 10.0
WORDS_PER_MINUTE = 165.0
AUDIBLE = 0.02  # of the peak: before and after, a word is cut off
SMOOTH_SECONDS = 0.04  # of the envelope that moves the mouth
_SPELLINGS = {"a": "A:", "ae": "a", "e": "E", "i": "i:", "o": "O:", "u": "u:"}
_VARIANTS = {  # low and high voices by the speaker's number, disjoint as the speakers are
    range(40): (("m1", "m2", "m3", "m4", "m5"), ("f1", "f2", "f3")),
    range(40, 48): (("m6",), ("f4",)),
    range(48, 60): (("m7", "m8"), ("f5",)),
}
_BASE_HZ = {  # measured at pitch 50
    "m1": 86, "m2": 92, "m3": 94, "m4": 92, "m5": 89, "m6": 92, "m7": 89, "m8": 71,
    "f1": 178, "f2": 186, "f3": 168, "f4": 178, "f5": 198,
}  # fmt: skip
HIGH_HZ = 150.0  # from which speakers get a high voice
STEPS_PER_OCTAVE = 59.0  # of the command's pitch


def speaking(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    """Sound of words that a speaker says, `[S]` float32."""
    prosody = prosody_of(source)
    result = np.zeros(samples)
    for event in events:
        place = span(event.start_seconds, event.stop_seconds, samples)
        word = _said(event.kind, source.instance, prosody.level)[: place.stop - place.start]
        result[place.start : place.start + len(word)] += event.strength * word * edges(len(word), 0.0, 0.01)
    return unit_peak(tilted(result, prosody.tilt_db)).astype(np.float32)


def seconds(word: str, who: Instance) -> float:
    """How long an individual takes for a word."""
    return len(_said(word, who, 1.0)) / SAMPLE_RATE


def opening(times: ndarray, who: Instance, events: tuple[Event, ...]) -> ndarray:
    """How far the mouth is open at each time, `[T]` in 0 to 1."""
    found = np.zeros(len(times))
    step = round(SMOOTH_SECONDS * SAMPLE_RATE)
    for event in events:
        level = np.convolve(np.abs(_said(event.kind, who, 1.0)), np.hanning(step) / np.hanning(step).sum(), "same")
        inside = np.arange(len(level)) / SAMPLE_RATE + event.start_seconds
        found = np.maximum(found, event.strength * np.interp(times, inside, level / level.max(), left=0.0, right=0.0))
    return found


def _said(word: str, who: Instance, level: float) -> ndarray:
    """A word as an individual says it, `[L]`, at `level` times the usual pitch."""
    own = voice(who)
    variant = variant_of(who)
    steps = STEPS_PER_OCTAVE * np.log2(own.pitch_hz * level / _BASE_HZ[variant])
    return _run(word, variant, int(np.clip(round(50 + steps), 0, 99)), round(WORDS_PER_MINUTE * own.rate))


def variant_of(who: Instance) -> str:
    """The command's voice for an individual."""
    low, high = next(names for numbers, names in _VARIANTS.items() if who.number in numbers)
    names = high if voice(who).pitch_hz >= HIGH_HZ else low
    return names[who.number % len(names)]


@lru_cache(maxsize=256)
def _run(word: str, variant: str, pitch: int, speed: int) -> ndarray:
    """What the command says, cut to what can be heard, at `SAMPLE_RATE`, peak 1.

    Raises:
        UsageError: if there is no such command.
        DataError: if it fails, takes too long, or says nothing.
    """
    arguments = [COMMAND, "-v", f"en-us+{variant}", "-p", str(pitch), "-s", str(speed), "-z", "--stdout", _text(word)]
    try:
        done = subprocess.run(arguments, capture_output=True, timeout=LIMIT_SECONDS, check=False)
    except FileNotFoundError as error:
        raise UsageError(
            f"there is no command {COMMAND}",
            expected="eSpeak NG, which speaks where that engine is asked for",
            cure="install it (on Debian: apt-get install espeak-ng), or take the built-in engine",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise DataError(f"{COMMAND} did not end within {LIMIT_SECONDS:g} s") from error
    if done.returncode or done.stdout[:4] != b"RIFF" or len(done.stdout) < 1_000:
        said = done.stderr.decode(errors="replace").strip()[:200]
        raise DataError(f"{COMMAND} said nothing for {word!r} (status {done.returncode}: {said})")
    rate = int.from_bytes(done.stdout[24:28], "little")
    sound = np.frombuffer(done.stdout[44 : len(done.stdout) // 2 * 2], "<i2").astype(np.float64)
    sound = np.asarray(resample_poly(sound, SAMPLE_RATE, rate))
    heard = np.flatnonzero(np.abs(sound) > AUDIBLE * np.abs(sound).max())
    return unit_peak(sound[heard[0] : heard[-1] + 1])


def _text(word: str) -> str:
    """What the command is to read: digits as they are, made-up words as its own phonemes."""
    if word in DIGITS:
        return word
    symbols = PRONUNCIATIONS[word]
    stressed = next(k for k, symbol in enumerate(symbols) if symbol in VOWELS)
    spelled = [_SPELLINGS.get(symbol, symbol) for symbol in symbols]
    return f"[[{''.join(spelled[:stressed])}'{''.join(spelled[stressed:])}]]"
