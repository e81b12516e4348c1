"""Track K: what the label may be read off, who speaks, what is said, and where the mouth is."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from seehear.errors import UsageError
from seehear.world import memory_clips, render, scene
from seehear.world.painting.picture import paint
from seehear.world.presets import resolve
from seehear.world.sounds.mixing import mix
from seehear.world.speech.emotions import EMOTIONS
from seehear.world.speech.face import mouth_at
from seehear.world.speech.lexicon import PRONUNCIATIONS
from seehear.world.speech.speakers import numbers, voice
from seehear.world.tracks.speech import baselines, edits
from seehear.world.truth.schema import check_truth

K = resolve("unit", track="K", level=1)
RATE = 16_000


@pytest.fixture(scope="module")
def clips():
    return list(memory_clips("unit", "train", count=8, track="K", level=1))


def facts_of(split: str, count: int, preset=K) -> list[dict]:
    return [scene(preset, split, index, 0).facts for index in range(count)]


# ----------------------------------------------------------------------------------------------------------- the label
def test_emotions_are_balanced_and_shown_by_thirds():
    told = [facts["speech"] for facts in facts_of("train", 48)]
    for name in EMOTIONS:
        own = [fact["emotion_in"] for fact in told if fact["emotion"] == name]
        assert len(own) == 12
        assert [own.count(shown) for shown in ("both", "voice", "face")] == (
            [12, 0, 0] if name == "neutral" else [4] * 3
        )


def test_who_shows_the_emotion_decides_what_each_modality_leaves():
    for index in range(24):
        clip = scene(K, "train", index, 0)
        label, shown = clip.labels[0], clip.facts["speech"]["emotion_in"]
        assert clip.sources[0].manner == (label if shown != "face" else "neutral")
        assert clip.bodies[0].manner == (label if shown != "voice" else "neutral")
        everything = sorted(EMOTIONS)
        assert clip.facts["candidates"] == {
            "sound": everything if clip.sources[0].manner == "neutral" else [label],
            "picture": everything if clip.bodies[0].manner == "neutral" else [label],
        }
        expected = {"both": None, "voice": "picture", "face": "sound"}[shown] if label != "neutral" else "each"
        assert clip.facts["ambiguous_in"] == expected


def test_the_modality_that_does_not_show_the_emotion_knows_nothing_of_it():
    """The same clips with the emotions in another order: what does not show the label is the same to the last bit."""
    turned = dataclasses.replace(K, classes=("neutral", "angry", "happy", "sad"))
    met = set()
    for index in range(24):
        one, other = scene(K, "train", index, 0), scene(turned, "train", index, 0)
        shown = one.facts["speech"]["emotion_in"]
        if one.labels == other.labels or shown == "both":
            continue
        met.add(shown)
        assert one.events == other.events  # the mouth moves alike
        if shown == "face":
            assert one.sources == other.sources
            assert one.bodies != other.bodies
        else:
            assert one.bodies == other.bodies
            assert one.sources != other.sources
    assert met == {"voice", "face"}


def test_the_sound_ignores_the_face_and_the_picture_the_voice():
    clip = scene(resolve(K, level=0), "train", 5, 0)
    body, source = clip.bodies[0], clip.sources[0]
    masked = dataclasses.replace(clip, bodies=(dataclasses.replace(body, manner="angry"),))
    voiced = dataclasses.replace(clip, sources=(dataclasses.replace(source, manner="angry"),))
    assert (mix(masked)[0] == mix(clip)[0]).all()
    assert (mix(voiced)[0] != mix(clip)[0]).any()
    assert (paint(voiced).pixels == paint(clip).pixels).all()
    assert (paint(masked).pixels != paint(clip).pixels).any()


def test_only_where_both_show_it_does_the_emotion_change_the_rate():
    calm = dataclasses.replace(K, classes=("neutral",) * 4)
    for index in range(16):
        one, other = scene(K, "train", index, 0), scene(calm, "train", index, 0)
        took = [own.events[-1].stop_seconds - own.events[0].start_seconds for own in (one, other)]
        rate = {"happy": 1.12, "sad": 0.82, "angry": 1.08}.get(one.labels[0], 1.0)
        shown = one.facts["speech"]["emotion_in"]
        assert took[1] / took[0] == pytest.approx(rate if shown == "both" else 1.0, rel=1e-4)
        assert one.events[0].start_seconds == other.events[0].start_seconds  # the lead-in tells nothing


# ------------------------------------------------------------------------------------------------------ what is said
@pytest.mark.parametrize("seconds", [1.6, 3.2])
def test_words_and_phonemes_have_their_times(seconds):
    preset = resolve(K, seconds=seconds)
    for index in range(20):
        clip = scene(preset, "test", index, 0)
        speech = clip.facts["speech"]
        words = [word["word"] for word in speech["words"]]
        assert speech["transcript"].split() == words
        assert 2 <= len(words) <= 5
        spelled = [symbol for word in words for symbol in PRONUNCIATIONS[word]]
        assert [event.kind for event in clip.events] == spelled
        assert 0.1 <= clip.events[0].start_seconds < clip.events[-1].stop_seconds < seconds
        for before, after in pairwise(clip.events):
            assert before.start_seconds < before.stop_seconds <= after.start_seconds
        at = 0
        for word in speech["words"]:
            own = clip.events[at : at + len(PRONUNCIATIONS[word["word"]])]
            assert (word["t_on"], word["t_off"]) == (own[0].start_seconds, own[-1].stop_seconds)
            at += len(own)
        covered = sum(own["t_off"] - own["t_on"] for own in speech["visemes"])
        assert covered == pytest.approx(
            sum(event.stop_seconds - event.start_seconds for event in clip.events), abs=1e-4
        )


def test_speakers_are_those_of_the_split_and_have_one_voice_and_one_face(clips):
    for split in ("train", "val", "test"):
        for index in range(8):
            clip = scene(K, split, index, 0)
            assert {body.instance.number for body in clip.bodies} <= set(numbers(split))
            assert len({body.instance.number for body in clip.bodies}) == len(clip.bodies)
            assert clip.sources[0].instance == clip.bodies[0].instance
            assert clip.sources[0].pitch_hz == voice(clip.bodies[0].instance).pitch_hz
            assert clip.facts["speech"]["speaker"] == clip.bodies[0].instance.number
    assert {len(clip.scene.bodies) for clip in clips} == {1, 2}


def test_the_first_word_raises_the_stem_within_ten_milliseconds(clips):
    for clip in clips:
        onset = round(clip.scene.events[0].start_seconds * RATE)
        stem = np.abs(clip.stems["source 0"])
        assert stem[: onset - 1].max() < 1e-6
        assert stem[onset : onset + 160].max() > 2e-3 * stem.max()


# ------------------------------------------------------------------------------------------------------------- mouth
def test_the_mouth_box_is_where_the_mouth_is_and_as_open(clips):
    ratios = []
    for clip in clips:
        body, frames = clip.scene.bodies[0], len(clip.pixels)
        boxes = np.array(clip.truth["speech"]["mouth_boxes"])
        head = np.array(clip.truth["objects"][0]["boxes"])
        assert boxes.shape == (frames, 4)
        assert (boxes[:, 2] > boxes[:, 0]).all()
        assert (boxes[:, :2] >= head[:, :2] - 1e-3).all()
        assert (boxes[:, 2:] <= head[:, 2:] + 1e-3).all()
        assert (boxes[:, 2] - boxes[:, 0] < 0.6 * (head[:, 2] - head[:, 0])).all()
        assert ((boxes[:, 1] + boxes[:, 3]) / 2 > (head[:, 1] + head[:, 3]) / 2).all()  # in the lower half
        opening = mouth_at(np.arange(frames) * 0.08, body.instance, clip.scene.events)[:, 0]
        ratios.append(np.corrcoef(boxes[:, 3] - boxes[:, 1], opening)[0, 1])
    assert np.median(ratios) > 0.8


def test_a_face_moves_only_its_mouth_and_only_while_it_speaks():
    clip = scene(resolve(K, level=0), "train", 3, 0)
    shown = render(clip)
    frames = shown.pixels.astype(int)
    times = np.arange(len(frames)) * 0.08
    changed = np.abs(frames - frames[0]).max(axis=3) > 2
    outside = (times < clip.events[0].start_seconds - 0.03) | (times > clip.events[-1].stop_seconds + 0.03)
    assert not changed[outside].any()
    assert changed.any()
    rows, columns = np.nonzero(changed.any(axis=0))
    boxes = np.array(shown.truth["speech"]["mouth_boxes"]) * frames.shape[1]
    assert columns.min() >= boxes[:, 0].min() - 2
    assert columns.max() <= boxes[:, 2].max() + 2
    assert rows.min() >= boxes[:, 1].min() - 2
    assert rows.max() <= boxes[:, 3].max() + 2


def test_the_silent_face_stays_still(clips):
    clip = next(clip for clip in clips if len(clip.scene.bodies) == 2)
    still = dataclasses.replace(clip.scene, grade=dataclasses.replace(clip.scene.grade, shake=0.0))
    shown = render(still)
    own = shown.masks[1].all(axis=0)
    assert own.any()
    frames = shown.pixels[:, own].astype(int)
    assert np.abs(frames - frames[0]).max() <= 1


def test_truth_keeps_to_its_schema_at_every_level(clips):
    for clip in clips:
        check_truth(clip.truth, strict=True)
    for level in (2, 3):
        clip = next(memory_clips("unit", "val", count=1, track="K", level=level))
        check_truth(clip.truth, strict=True)
        assert np.array(clip.truth["speech"]["mouth_boxes"]).any()


# ---------------------------------------------------------------------------------------------------------- baselines
def slow_edits(one: str, other: str) -> int:
    if not one or not other:
        return len(one) + len(other)
    rest = (
        slow_edits(one[1:], other),
        slow_edits(one, other[1:]),
        slow_edits(one[1:], other[1:]) - (one[0] == other[0]),
    )
    return 1 + min(rest)


def test_edits_are_levenshteins():
    texts = ["", "a", "abc", "kaeb", "bacab"]
    for guess in ("", "ab", "cabba"):
        assert edits(guess, texts).tolist() == [slow_edits(guess, text) for text in texts]


def test_baselines_are_exact():
    records = [{"split": split, "truth": facts} for split in ("train", "test") for facts in facts_of(split, 48)]
    found = baselines(records)
    assert found["emotion"] == {
        "chance": 0.25,
        "majority": 0.25,
        "ceiling_sound": 0.75,
        "ceiling_picture": 0.75,
        "ceiling": 1.0,
    }
    words = found["words"]
    asked = [item["truth"]["speech"]["transcript"] for item in records if item["split"] == "test"]
    rate = edits(words["constant"], asked).sum() / sum(map(len, asked))
    assert words["constant_cer"] == pytest.approx(rate, abs=1e-4)
    assert 0.5 < words["constant_cer"] < 0.95
    assert found["speaker"] == {"chance_eer": 0.5}
    alone = baselines([item for item in records if item["split"] == "test"])["words"]
    assert alone["constant"] in asked
    assert alone["constant_cer"] == pytest.approx(
        min(edits(text, asked).sum() for text in asked) / sum(map(len, asked)), abs=1e-4
    )


def test_speech_engines_belong_to_tracks_with_words():
    with pytest.raises(UsageError, match="engine"):
        resolve("unit", track="K", speech="espeak")
    with pytest.raises(UsageError, match="track A"):
        resolve("unit", speech="espeak-ng")
