"""eSpeak NG as engine: called as a command, or refused with a cure; what it says, where it is installed."""

import dataclasses
import shutil
import stat

import numpy as np
import pytest

from seehear.errors import DataError, UsageError
from seehear.world import memory_clips, scene
from seehear.world.drawing.draws import instance
from seehear.world.presets import resolve
from seehear.world.speech import espeak
from seehear.world.speech.face import mouth_at
from seehear.world.speech.lexicon import DIGITS, PRONUNCIATIONS
from seehear.world.speech.speakers import numbers, voice

installed = pytest.mark.skipif(shutil.which(espeak.COMMAND) is None, reason="espeak-ng is not installed")
WHO = instance("face", 3, 1.0, 0)


@pytest.fixture(autouse=True)
def _forget():
    espeak._run.cache_clear()


def pretend(tmp_path, monkeypatch, script: str) -> None:
    """A command of the engine's name that does something else."""
    command = tmp_path / espeak.COMMAND
    command.write_text("#!/bin/sh\n" + script)
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(espeak, "COMMAND", str(command))


def test_a_missing_command_is_said_with_its_cure(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"no command espeak-ng.*install it.*built-in"):
        espeak.seconds("mina", WHO)


def test_a_failing_or_silent_command_is_refused(monkeypatch, tmp_path):
    pretend(tmp_path, monkeypatch, "echo no such voice >&2; exit 1\n")
    with pytest.raises(DataError, match="status 1: no such voice"):
        espeak.seconds("mina", WHO)
    pretend(tmp_path, monkeypatch, "exit 0\n")
    with pytest.raises(DataError, match="said nothing for 'two'"):
        espeak.seconds("two", WHO)


def test_a_command_that_hangs_is_ended(monkeypatch, tmp_path):
    pretend(tmp_path, monkeypatch, "exec sleep 20\n")
    monkeypatch.setattr(espeak, "LIMIT_SECONDS", 0.2)
    with pytest.raises(DataError, match=r"did not end within 0\.2 s"):
        espeak.seconds("mina", WHO)


def test_words_are_handed_over_as_digits_or_phonemes():
    assert espeak._text("seven") == "seven"
    assert espeak._text("mina") == "[[m'i:nA:]]"
    assert espeak._text("raeno") == "[[r'anO:]]"


def test_voices_are_disjoint_by_split():
    one, two, three = (
        {espeak.variant_of(instance("face", k, 1.0, 0)) for k in numbers(name)} for name in ("train", "val", "test")
    )
    assert not one & two
    assert not one & three
    assert not two & three
    assert one | two | three <= set(espeak._BASE_HZ)


def pitch_hz(sound: np.ndarray) -> float:
    """Median over windows of the first strong peak of the autocorrelation."""
    found = []
    for start in range(0, len(sound) - 800, 200):
        part = sound[start : start + 800] * np.hanning(800)
        lags = np.correlate(part, part, "full")[799:] / (1.001 - np.arange(800) / 800)
        peaks = [k for k in range(40, 250) if lags[k] > max(lags[k - 1], lags[k + 1], 0.8 * lags[40:250].max())]
        if part.std() > 0.05 and peaks:
            found.append(16_000 / peaks[0])
    return float(np.median(found))


@installed
def test_every_word_is_said():
    for word in (*DIGITS, *list(PRONUNCIATIONS)[::9]):
        assert 0.1 < espeak.seconds(word, WHO) < 1.2


@installed
@pytest.mark.parametrize("number", [0, 2, 5, 44, 50])
def test_the_command_speaks_at_about_the_speakers_pitch(number):
    who = instance("face", number, 1.0, 0)
    own = voice(who).pitch_hz
    assert pitch_hz(espeak._said("mina", who, 1.0)) == pytest.approx(own, rel=0.2)
    assert pitch_hz(espeak._said("mina", who, 1.22)) > 1.08 * pitch_hz(espeak._said("mina", who, 1.0))


@installed
def test_clips_can_be_spoken_by_the_command():
    preset = resolve("unit", track="K", speech="espeak-ng")
    clip = next(memory_clips(preset, "train", count=1, start=6))
    speech = clip.truth["speech"]
    assert (speech["engine"], speech["mouth_source"]) == ("espeak-ng", "envelope")
    assert speech["visemes"] == []
    assert [event.kind for event in clip.scene.events] == speech["transcript"].split()
    stem = np.abs(clip.stems["source 0"])
    onset = round(speech["words"][0]["t_on"] * 16_000)
    assert stem[: onset - 1].max() < 1e-6
    assert stem[onset : onset + 800].max() > 0.02 * stem.max()
    times = np.arange(0, 3.2, 0.02)
    opening = mouth_at(times, clip.scene.bodies[0].instance, clip.scene.events)[:, 0]
    first, last = speech["words"][0]["t_on"], speech["words"][-1]["t_off"]
    assert opening.max() > 0.3
    assert not opening[(times < first) | (times > last)].any()


@installed
def test_the_emotion_of_the_voice_moves_neither_mouth_nor_words():
    preset = resolve("unit", track="K", speech="espeak-ng")
    clip = scene(preset, "train", 1, 0)
    source = clip.sources[0]
    voiced = [dataclasses.replace(source, manner=manner) for manner in ("sad", "angry")]
    sounds = [espeak.speaking(own, clip.events, 51_200) for own in voiced]
    assert np.abs(sounds[0] - sounds[1]).max() > 0.1
    for sound in sounds:
        assert not sound[: round(clip.events[0].start_seconds * 16_000) - 1].any()
        assert np.abs(sound[round(clip.events[-1].stop_seconds * 16_000) + 200 :]).max() < 1e-3
