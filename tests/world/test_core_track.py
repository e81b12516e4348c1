"""Track A's ambiguous clips: shares, exact ceilings, and that each modality really is left with what the facts say."""

import dataclasses
from collections import Counter

import numpy as np
import pytest

from seehear.errors import UsageError
from seehear.world import PRESETS, render, scene
from seehear.world.presets import resolve
from seehear.world.sounds.mixing import mix

COUNT = 600


@pytest.fixture(scope="module")
def clips():
    return [scene("base", "train", index, 2) for index in range(COUNT)]


def test_shares_and_ceilings_are_as_promised(clips):
    found = Counter(clip.facts["ambiguous_in"] for clip in clips)
    unseen = np.mean([all(source.body is None for source in clip.sources) for clip in clips])
    assert abs(unseen - 0.1) < 0.04
    assert abs(found["sound"] / COUNT - 0.4) < 0.06
    assert abs(found["picture"] / COUNT - 0.3) < 0.06  # a tenth off screen, a fifth with a body that mimes
    for modality in ("sound", "picture"):
        ceiling = np.mean([1 / len(clip.facts["candidates"][modality]) for clip in clips])
        assert abs(ceiling - 0.8) < 0.04
    both = [set(clip.facts["candidates"]["sound"]) & set(clip.facts["candidates"]["picture"]) for clip in clips]
    assert all(left == set(clip.labels) for left, clip in zip(both, clips, strict=True))


def test_the_facts_are_what_the_scene_shows_and_sounds(clips):
    for clip in clips:
        label, modality = clip.facts["label_single"], clip.facts["ambiguous_in"]
        heard = {source.instance.kind for source in clip.sources}
        moving = {clip.bodies[source.body].instance.kind for source in clip.sources if source.body is not None}
        moving |= {clip.bodies[mime.body].instance.kind for mime in clip.mimes}
        assert clip.labels == (label,)
        assert set(clip.facts["candidates"]["sound"]) == heard
        if moving:
            assert set(clip.facts["candidates"]["picture"]) == moving
        else:
            seen = {body.instance.kind for body in clip.bodies}
            assert modality == "picture"
            assert set(clip.facts["candidates"]["picture"]) == set(PRESETS["base"].classes) - seen
        assert [source.near for source in clip.sources] == [False, True][: len(clip.sources)]


def test_nothing_tells_which_of_two_sounds_has_a_body(clips):
    """Pitch and loudness of the labelled sound and of the masker follow the same law."""
    masked = [clip for clip in clips if clip.facts["ambiguous_in"] == "sound"]
    pitches = np.log([[source.pitch_hz for source in clip.sources] for clip in masked])
    error = pitches.std() / np.sqrt(len(masked))
    assert abs(pitches[:, 0].mean() - pitches[:, 1].mean()) < 3.5 * error
    for clip in masked[:6]:
        stems = mix(clip)[1]
        levels = [10 * np.log10(np.mean(stems[f"source {k}"] ** 2)) for k in (0, 1)]
        assert abs(levels[0] - levels[1]) < 2.5


def test_a_body_that_mimes_moves_and_is_not_heard(clips):
    mimed = [clip for clip in clips if clip.mimes][:5]
    assert len(mimed) == 5
    moved = 0
    for clip in mimed:
        small = dataclasses.replace(clip, format=dataclasses.replace(clip.format, size=64))
        small = dataclasses.replace(small, grade=dataclasses.replace(small.grade, shake=0.0))
        shown, still = render(small), render(dataclasses.replace(small, mimes=()))
        assert (shown.waveform == still.waveform).all()
        moved += (shown.pixels != still.pixels).mean() > 1e-3
        assert {event.kind for event in clip.mimes[0].events} != {"miss"}
    assert moved >= 4  # one may be too small a movement for this size


def test_every_class_confuses_every_other_about_equally(clips):
    others = Counter(
        next(name for name in clip.facts["candidates"]["sound"] if name != clip.labels[0])
        for clip in clips
        if clip.facts["ambiguous_in"] == "sound"
    )
    assert len(others) == len(PRESETS["base"].classes)
    assert max(others.values()) < 4 * np.mean(list(others.values()))


def test_ambiguous_clips_need_one_label():
    with pytest.raises(UsageError, match="ambiguous clips with several labels"):
        resolve("base", labelling="multi", ambiguous=0.4)
    assert resolve("base", labelling="multi").ambiguous == 0
    with pytest.raises(UsageError, match=r"0 to 0\.5"):
        resolve("base", ambiguous=0.6)


def test_balls_contacts_are_events():
    found = [clip for clip in (scene("base", "train", 20 * k + 18, 0) for k in range(6)) if clip.sources[0].body == 0]
    for clip in found:
        own = [event for event in clip.events if event.source == 0]
        gaps = np.diff([event.start_seconds for event in own])
        assert {event.kind for event in own} == {"bounce"}
        assert len(own) > 2
        np.testing.assert_allclose(gaps[1:] / gaps[:-1], gaps[1] / gaps[0], rtol=1e-3)
    assert found
