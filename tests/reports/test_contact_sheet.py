"""The contact sheet: a PNG of every kind of clip, with the facts of its track in words."""

import numpy as np
import pytest

from seehear import world
from seehear.media.limits import Limits
from seehear.media.pictures import decode_picture
from seehear.reports.clip_facts import facts_in_words
from seehear.reports.contact_sheet import WIDTH, colour_of, contact_sheet
from seehear.world.interventions import INTERVENTIONS
from seehear.world.rendering import Rendered
from seehear.world.tracks import TRACKS


def clip(index: int = 0, **choices) -> Rendered:
    return next(world.memory_clips("unit", "test", count=1, start=index, **choices))


def drawn(shown: Rendered) -> np.ndarray:
    return decode_picture(contact_sheet(shown), "sheet", Limits())


@pytest.mark.parametrize("track", TRACKS)
def test_clips_of_every_track_are_drawn(track: str) -> None:
    sheet = drawn(clip(track=track, level=1, size=64))
    assert sheet.shape[1] == WIDTH * 110
    assert sheet.std() > 20


def test_boxes_and_sounds_have_the_colours_of_their_bodies() -> None:
    shown = clip(level=2)
    sheet = drawn(shown)
    for number in range(len(shown.scene.bodies)):
        colour = np.array([int(colour_of(shown, number)[k : k + 2], 16) for k in (1, 3, 5)])
        assert (np.abs(sheet.astype(int) - colour).max(axis=-1) < 3).sum() > 100


@pytest.mark.parametrize("name", ["mute", "without_distractors"])
def test_views_are_drawn(name: str) -> None:
    assert not np.array_equal(drawn(clip(level=2)), drawn(clip(level=2, intervention=name)))


def test_words_tell_what_is_seen_and_heard() -> None:
    shown = clip(index=2, level=2)
    lines = facts_in_words(shown)
    assert lines[0] == "labels: drum"
    assert lines[1] == f"caption: {shown.caption}"
    assert lines[2].startswith("source 0: drum ")
    assert f"begins at {shown.scene.events[0].start_seconds:.2f}" in lines[2]
    assert sum(line.startswith("object ") for line in lines) == len(shown.scene.bodies) - 1


@pytest.mark.parametrize("name", INTERVENTIONS)
def test_words_tell_of_an_intervention(name: str) -> None:
    assert any(line.startswith(f"intervention: {name}") for line in facts_in_words(clip(intervention=name, level=1)))


def test_words_tell_the_facts_of_a_track() -> None:
    lines = facts_in_words(clip(level=1, ambiguous=0.4))
    assert any(line.startswith("candidates: sound [") for line in lines)


def test_words_tell_what_is_said_and_when() -> None:
    shown = clip(track="K", level=0)
    speech = shown.truth["speech"]
    said = next(line for line in facts_in_words(shown) if line.startswith("speech: "))
    first = speech["words"][0]
    assert f"transcript {speech['transcript']}" in said
    assert f"{first['word']} {first['t_on']:.2f} to {first['t_off']:.2f} s" in said
