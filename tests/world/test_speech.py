"""Speech: what is said is measured in the sound, by other means than those that made it, and in the picture."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from seehear.errors import UsageError
from seehear.world.drawing.draws import instance
from seehear.world.scenes import Event, Instance, Source
from seehear.world.speech import grammar, lexicon, speakers
from seehear.world.speech.coarticulation import GLIDE_SECONDS, shares, track
from seehear.world.speech.emotions import EMOTIONS
from seehear.world.speech.face import mouth_at
from seehear.world.speech.phonemes import CONSONANTS, MOUTHS, PHONEMES, VISEMES, VOWELS
from seehear.world.speech.speakers import voice
from seehear.world.speech.synthesis import pitch_track, speaking
from seehear.world.speech.utterances import draft, timed
from seehear.world.splits import SPLITS
from seehear.world.streams import stream

RATE, SAMPLES = 16_000, 51_200


def speaker(number: int) -> Instance:
    return instance("face", number, 1.0, 0)


def source(number: int, manner: str = "", seed: int = 5) -> Source:
    who = speaker(number)
    return Source(who, 0, voice(who).pitch_hz, 0.0, seed, manner=manner)


def said(words: tuple[str, ...], number: int, seed: int = 0) -> tuple[Event, ...]:
    own = draft(stream(seed, "test"), words, speaker(number), "built-in")
    return timed(own, 0, 0.3, 1.0)[0]


def held(symbol: str, number: int) -> np.ndarray:
    """The middle of a vowel that lasts for half a second."""
    sound = speaking(source(number), (Event(0, symbol, 0.2, 0.7, 0.7, 0),), 16_000)
    return sound[round(0.3 * RATE) : round(0.6 * RATE)].astype(float)


def resonances(sound: np.ndarray, order: int = 14) -> np.ndarray:
    """Formants by linear prediction (autocorrelation method): narrow poles above 150 Hz, lowest first."""
    flat = np.asarray(lfilter([1.0, -0.97], [1.0], sound)) * np.hamming(len(sound))
    lags = np.correlate(flat, flat, "full")[len(flat) - 1 :][: order + 1]
    matrix = lags[np.abs(np.subtract.outer(np.arange(order), np.arange(order)))]
    poles = np.roots([1.0, *-np.linalg.solve(matrix + 1e-9 * lags[0] * np.eye(order), lags[1:])])
    poles = poles[poles.imag > 0]
    hertz, width = np.angle(poles) * RATE / (2 * np.pi), -np.log(np.abs(poles)) * RATE / np.pi
    return np.sort(hertz[(width < 500) & (hertz > 150)])


def pitch_hz(sound: np.ndarray) -> float:
    """Pitch by autocorrelation."""
    lags = np.correlate(sound - sound.mean(), sound - sound.mean(), "full")[len(sound) - 1 :]
    low, high = RATE // 500, RATE // 60
    return RATE / (low + lags[low:high].argmax())


# ------------------------------------------------------------------------------------------------------------- words
def test_the_inventory_is_what_the_plan_says():
    assert len(VOWELS) == 6
    assert len(CONSONANTS) == 10
    assert {PHONEMES[symbol].viseme for symbol in "pbm"} == {"lips"}
    for symbol, own in PHONEMES.items():
        assert own.mouth == MOUTHS[own.viseme]
        assert (own.viseme == "lips") == (symbol in "pbm")
    assert set(VISEMES) == set(MOUTHS) - {"rest"}


def test_the_lexicon_has_forty_words_that_all_sound_different_and_ten_digits():
    words = [word for part in lexicon.WORDS.values() for word in part]
    assert len(words) == len(set(words)) == 40
    assert len(lexicon.DIGITS) == 10
    assert len(set(lexicon.PRONUNCIATIONS.values())) == 50
    assert {symbol for spelled in lexicon.PRONUNCIATIONS.values() for symbol in spelled} == set(PHONEMES)
    for word in words:
        kinds = "".join("V" if symbol in VOWELS else "C" for symbol in lexicon.spelled(word))
        assert kinds in ("CVV", "CVCV")
        assert "".join(lexicon.spelled(word)) == word


def test_sentences_of_two_to_five_words_have_templates_of_their_split():
    seen = {
        split: {grammar.sentence(stream(split, k), split) for k in range(200)} for split in ("train", "val", "test")
    }
    numbers = {split: {number for _, number in found} for split, found in seen.items()}
    assert not numbers["train"] & numbers["test"]
    assert not numbers["train"] & numbers["val"]
    for split in ("train", "test"):
        assert {len(words) for words, _ in seen[split]} == {2, 3, 4, 5}


def test_sixty_speakers_are_shared_out_as_the_plan_says():
    assert [len(speakers.numbers(split)) for split in SPLITS] == [40, 8, 12, 40, 12]
    assert not set(speakers.numbers("train")) & {*speakers.numbers("val"), *speakers.numbers("test")}
    assert not set(speakers.numbers("val")) & set(speakers.numbers("test"))
    with pytest.raises(UsageError, match="split"):
        speakers.numbers("dev")


def test_voices_differ_stay_and_fill_their_ranges():
    voices = [voice(speaker(number)) for number in range(60)]
    assert len(set(voices)) == 60
    assert voices[7] == voice(instance("face", 7, 0.5, 0))  # whatever the level's spread of faces
    pitches, tracts = np.array([(own.pitch_hz, own.tract) for own in voices]).T
    assert 85 <= pitches.min() < 110
    assert 220 < pitches.max() <= 260
    assert 0.85 <= tracts.min() < 0.95
    assert 1.1 < tracts.max() <= 1.2
    assert np.corrcoef(np.log(pitches), tracts)[0, 1] < -0.7


# ------------------------------------------------------------------------------------------------------------- sound
@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("symbol", VOWELS)
def test_the_formants_of_every_vowel_are_the_speakers_own(symbol, number):
    wanted = np.array(PHONEMES[symbol].formants_hz) / voice(speaker(number)).tract
    found = resonances(held(symbol, number))[:3]
    np.testing.assert_allclose(found, wanted, rtol=0.05, atol=45)  # harmonics pull the lowest one


@pytest.mark.parametrize("number", range(6))
def test_the_pitch_is_the_speakers_own(number):
    events = (Event(0, "a", 0.2, 0.7, 0.7, 0),)
    found = pitch_hz(held("a", number))
    assert found == pytest.approx(float(pitch_track(source(number), events, np.array([0.45]))[0]), rel=0.04)
    assert found == pytest.approx(voice(speaker(number)).pitch_hz, rel=0.12)  # the clip's own prosody and its fall


@given(st.integers(0, 59), st.sampled_from(EMOTIONS), st.sampled_from(VOWELS), st.integers(0, 1_000))
@settings(max_examples=15)
def test_any_voice_begins_and_ends_with_its_events(number, manner, symbol, seed):
    who = source(number, manner, seed)
    sound = speaking(who, (Event(0, "t", 0.21803, 0.25, 1.0, 0), Event(0, symbol, 0.25, 0.5, 1.0, 0)), 16_000)
    onset = round(0.21803 * RATE)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() == pytest.approx(1.0)
    assert not sound[: onset - 1].any()
    assert np.abs(sound[onset : onset + 80]).max() > 0.005  # a burst within 5 ms
    assert np.abs(sound[round(0.58 * RATE) :]).max() < 0.01


@pytest.mark.parametrize("symbol", PHONEMES)
def test_every_phoneme_sounds_at_its_onset_and_noise_is_where_it_should_be(symbol):
    own = PHONEMES[symbol]
    vowel = Event(0, "a", 0.5 + own.seconds, 0.9, 0.8, 0)
    sound = speaking(source(3), (Event(0, symbol, 0.5, 0.5 + own.seconds, 0.8, 0), vowel), 16_000).astype(float)
    assert not sound[: 8_000 - 1].any()
    assert np.abs(sound[8_000:8_160]).max() > 0.004  # within 10 ms
    if own.manner == "fricative":
        middle = sound[8_000 + round(0.3 * own.seconds * RATE) :][: round(0.4 * own.seconds * RATE)]
        power = np.abs(np.fft.rfft(middle, 4_096)) ** 2
        assert power @ np.fft.rfftfreq(4_096, 1 / RATE) / power.sum() > 2_000


def test_a_stop_inside_speech_is_nearly_silent_before_its_burst():
    events = (Event(0, "a", 0.2, 0.5, 0.8, 0), Event(0, "t", 0.5, 0.6, 0.8, 0), Event(0, "a", 0.6, 0.9, 0.8, 0))
    sound = speaking(source(3), events, 16_000).astype(float)
    vowel, closed, burst = (sound[round(a * RATE) : round(b * RATE)].std() for a, b in
                            ((0.3, 0.4), (0.53, 0.555), (0.561, 0.575)))  # fmt: skip
    assert closed < 0.02 * vowel
    assert burst > 5 * closed


def bands(sound: np.ndarray, count: int = 24) -> np.ndarray:
    """Log power in mel bands every 10 ms, `[frames, count]`."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(sound, (0, 400)), 400)[::160] * np.hanning(400)
    power = np.abs(np.fft.rfft(frames, 512)) ** 2
    edges = 700 * (10 ** (np.linspace(0, 2_595 * np.log10(1 + 7_800 / 700), count + 2) / 2_595) - 1)
    bins = np.arange(257) * RATE / 512
    rise = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    return np.log(power @ np.maximum(0, np.minimum(rise, fall)).T + 1e-6)


def test_spoken_digits_are_told_apart_across_speakers_nobody_has_heard():
    """A linear classifier of coarse mel pictures; chance is 10 %."""
    from sklearn.linear_model import LogisticRegression

    def drawn(numbers: range) -> tuple[np.ndarray, list[str]]:
        features, labels = [], []
        for number in numbers:
            for word in lexicon.DIGITS:
                sound = speaking(source(number, seed=number), said((word,), number, number), 20_000).astype(float)
                sound = sound[round(0.3 * RATE) :][: round(0.7 * RATE)]
                picture = bands(sound + 0.01 * stream(number, word).standard_normal(len(sound)))[:70]
                features.append((picture - picture.mean()).reshape(14, 5, -1).mean(axis=1).ravel())
                labels.append(word)
        return np.array(features), labels

    model = LogisticRegression(C=0.01, max_iter=300).fit(*drawn(speakers.numbers("train")[:16]))
    assert model.score(*drawn(speakers.numbers("test"))) > 0.9


# ---------------------------------------------------------------------------------------------------------- emotions
def prosody_seen(manner: str, number: int) -> tuple[float, float, float]:
    """Level and range of the pitch, and how bright, as heard."""
    who = source(number, manner, seed=number)
    events = said(("mina", "runo", "dua"), number, number)
    sound = speaking(who, events, SAMPLES).astype(float)
    vowels = [event for event in events if event.kind in VOWELS]
    cuts = [sound[round(v.start_seconds * RATE) : round(v.stop_seconds * RATE)] for v in vowels]
    octaves = np.log2([pitch_hz(cut) for cut in cuts])
    power = np.abs(np.fft.rfft(sound)) ** 2
    hertz = np.fft.rfftfreq(SAMPLES, 1 / RATE)
    return float(np.median(octaves)), float(octaves.std()), float(np.log2(power[hertz > 1_500].sum() / power.sum()))


def test_emotions_are_heard_in_pitch_range_and_brightness():
    found = {name: np.mean([prosody_seen(name, number) for number in range(12)], axis=0) for name in EMOTIONS}
    level, spread, bright = (dict(zip(found, values, strict=True)) for values in np.array(list(found.values())).T)
    assert level["happy"] > level["neutral"] + 0.15
    assert level["angry"] > level["neutral"] + 0.1
    assert level["sad"] < level["neutral"] - 0.1
    assert spread["happy"] > 1.3 * spread["neutral"] > 2 * spread["sad"]
    assert bright["angry"] > bright["happy"] + 0.5
    assert bright["neutral"] > bright["sad"] + 0.5


def test_angry_accents_stand_out_more_than_sad_ones():
    events = (Event(0, "a", 0.2, 0.5, 1.0, 0), Event(0, "n", 0.5, 0.6, 0.5, 0), Event(0, "a", 0.6, 0.9, 0.5, 0))

    def contrast(manner: str) -> float:
        sound = speaking(source(3, manner), events, 16_000)
        return float(sound[4_000:7_000].std() / sound[10_000:13_000].std())

    assert contrast("angry") > 1.3 * contrast("neutral")
    assert contrast("neutral") > 1.1 * contrast("sad")


# ------------------------------------------------------------------------------------------------------------- mouth
@given(st.lists(st.floats(0.04, 0.2), min_size=1, max_size=8), st.floats(0.1, 0.5))
def test_phonemes_share_out_all_of_speech_and_nothing_else(lengths, start):
    borders = start + np.concatenate([[0], np.cumsum(lengths)])
    times = np.linspace(-0.2, borders[-1] + 0.3, 300)
    own = shares(times, borders[:-1], borders[1:])
    half = GLIDE_SECONDS / 2
    inside = (times > borders[0] + half) & (times < borders[-1] - half)
    outside = (times < borders[0] - half) | (times > borders[-1] + half)
    np.testing.assert_allclose(own.sum(axis=0)[inside], 1, atol=1e-9)
    np.testing.assert_allclose(own.sum(axis=0)[outside], 0, atol=1e-9)
    assert own.min() > -1e-9
    rest = np.array([0.3, -1.0])
    np.testing.assert_allclose(track(own, np.tile(rest, (len(lengths), 1)), rest), np.tile(rest, (300, 1)), atol=1e-9)


def test_the_mouth_takes_the_shape_of_the_phoneme_and_rests_in_silence():
    for symbol, own in PHONEMES.items():
        events = (Event(0, symbol, 0.5, 0.8, 1.0, 0),)
        shape = mouth_at(np.array([0.2, 0.65, 1.2]), speaker(0), events)
        rest = dataclasses.astuple(MOUTHS["rest"])
        np.testing.assert_allclose(shape, [rest, dataclasses.astuple(own.mouth), rest], atol=1e-9)


def test_the_mouth_opens_with_the_vowels_and_with_the_sound():
    """Open vowels, wide mouth (first formant and opening rank alike); louder moments, wider mouth."""
    events = said(("bado", "pimu", "kefa"), 3)
    times = np.arange(0, 3.2, 0.02)
    opening = mouth_at(times, speaker(3), events)[:, 0]
    sound = speaking(source(3), events, SAMPLES).astype(float)
    level = np.sqrt((sound.reshape(-1, 320) ** 2).mean(axis=1))
    assert np.corrcoef(opening, level)[0, 1] > 0.6
    first = [PHONEMES[symbol].formants_hz[0] for symbol in VOWELS]
    assert np.corrcoef(first, [PHONEMES[symbol].mouth.opening for symbol in VOWELS])[0, 1] > 0.85


def test_lips_are_shut_where_lips_are_heard_to_be_shut():
    events = said(("mina", "bado", "pobae"), 3)
    for event in events:
        if event.kind in "pbm" and event.start_seconds > 0.4 and event.stop_seconds - event.start_seconds > 0.06:
            middle = (event.start_seconds + event.stop_seconds) / 2
            assert mouth_at(np.array([middle]), speaker(3), events)[0, 0] < 0.02
