"""Track I: the mix and its chain, states that are seen to change where they do, contacts, sounds, and no leaks."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seehear.errors import UsageError
from seehear.world import render, scene
from seehear.world.classes import kind
from seehear.world.disk.audit import GATED, _accuracy, _column
from seehear.world.interactions.actions import NOUNS, action, chain, contact_place, label
from seehear.world.interactions.hand import away
from seehear.world.interactions.jar import FILL_SECONDS, FULLEST, SPEED_OF_SOUND, filled, length_metres, resonance_hz
from seehear.world.interactions.states import CHANGE, TOUCH
from seehear.world.painting.motion import lift
from seehear.world.painting.picture import paint
from seehear.world.presets import resolve
from seehear.world.scenes import Event, Instance, Scene, Source
from seehear.world.sounds.mixing import mix
from seehear.world.splits import instances
from seehear.world.tracks import track
from seehear.world.tracks.interactions import MARGIN_SECONDS, MIX, SHORTEST_GAP_SECONDS, baselines
from seehear.world.truth.schema import check_truth

RATE = 16_000
PLAIN, BUSY = (
    resolve("unit", track="I", size=64, seconds=4.8),
    resolve("unit", track="I", size=64, seconds=4.8, level=1),
)
FRAME = 2 / 25
CHANGES = ("audible change", "silent change")


def clip(noun: str, mixed: str, *, hand: bool = True, preset=PLAIN) -> Scene:
    """The first training clip of a thing and a mix kind."""
    for turn in range(200):
        found = scene(preset, "train", turn * len(NOUNS) + NOUNS.index(noun))
        if found.facts["mix"] == mixed and (found.facts["states"][0]["hand"] is not None) == hand:
            return found
    raise AssertionError(f"no {mixed} of a {noun}")


def without_hand(found: Scene) -> Scene:
    """The clip from a camera on a stand, and without hands."""
    things = len(found.bodies) - sum(state["hand"] is not None for state in found.facts["states"])
    mimes = tuple(mime for mime in found.mimes if mime.body < things)
    still = dataclasses.replace(found.grade, shake=0.0)
    return dataclasses.replace(found, bodies=found.bodies[:things], mimes=mimes, grade=still)


# ------------------------------------------------------------------------------------------------------------ scenes
def test_the_labels_are_the_actions():
    assert track("I").labels == tuple(label(noun) for noun in NOUNS)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    """The first clips of training."""
    return [scene(PLAIN, "train", index) for index in range(640)]


def test_the_mix_has_its_shares_for_every_thing(scenes):
    for noun in (None, *NOUNS):
        own = [s.facts["mix"] for s in scenes if noun in (None, s.facts["states"][0]["noun"])]
        for name, share in MIX.items():
            assert own.count(name) / len(own) == pytest.approx(share, abs=0.05 if noun else 0.01)


@settings(max_examples=60, deadline=None)
@given(
    index=st.integers(0, 10**6),
    split=st.sampled_from(["train", "val", "test", "test_iid", "test_ood"]),
    level=st.integers(0, 2),
    seed=st.integers(0, 2**32),
)
def test_a_scene_holds_together(index, split, level, seed):
    found = scene(resolve("unit", track="I", seconds=4.8, level=level), split, index, seed)
    facts, seconds = found.facts, found.format.seconds
    states = facts["states"]
    changes = facts["mix"] in CHANGES
    assert len(states) <= (3 if found.level else 1)
    assert list(found.labels) == list(dict.fromkeys(facts["action"]["sequence"]))
    assert bool(found.labels) == changes == bool(facts["action"]["next_action"])
    times = [state["t_change"] for state in states if state["changes_state"]]
    assert all(MARGIN_SECONDS <= t <= seconds - MARGIN_SECONDS for t in times)
    assert all(gap >= SHORTEST_GAP_SECONDS - 1e-5 for gap in np.diff(times))
    manners = {number: body.manner for number, body in enumerate(found.bodies)}
    for state in states:
        assert state["before"] == manners[state["object"]]
        assert (state["before"] != state["after"]) == state["changes_state"] == changes
        assert all(0.5 <= t <= seconds - MARGIN_SECONDS for t in state["contact_times"])
        manners[state["object"]] = state["after"]
    heard = [event.start_seconds for event in found.events]
    if facts["mix"].startswith("audible"):
        assert heard == [state["t_change"] or state["contact_times"][0] for state in states]
        assert {event.kind == CHANGE for event in found.events} == {changes}
    else:
        assert not found.events
        assert not found.sources
    for body in found.bodies:
        assert body.instance.number in instances(split, 100)


def test_the_chain_is_balanced_and_never_repeats():
    table = chain()
    np.testing.assert_allclose(table.sum(axis=0), 1)
    np.testing.assert_allclose(table.sum(axis=1), 1)
    assert not table.diagonal().any()


def test_the_next_action_follows_the_chain(scenes):
    actions = [s.facts["action"] for s in scenes if s.facts["action"]["next_noun"]]
    steps = [(NOUNS.index(own["next_noun"]) - NOUNS.index(own["noun"])) % len(NOUNS) for own in actions]
    shares = np.bincount(steps, minlength=len(NOUNS)) / len(steps)
    np.testing.assert_allclose(shares, chain()[0], atol=0.06)  # the chain's rows are one row, turned


def test_short_clips_are_refused():
    with pytest.raises(UsageError, match=r"1\.6 s"):
        scene(resolve("unit", track="I", seconds=1.6), "train", 0)


# ---------------------------------------------------------------------------------------------------------- pictures
@pytest.mark.parametrize("noun", NOUNS)
@pytest.mark.parametrize("mixed", MIX)
def test_pictures_differ_where_and_only_where_a_state_changes(noun, mixed):
    pictures = paint(without_hand(clip(noun, mixed)))
    first, last = pictures.pixels[0].astype(int), pictures.pixels[-1].astype(int)
    differs = np.abs(first - last).max(axis=-1) > 24
    if mixed not in CHANGES:
        assert (first == last).all()
        return
    rows, columns = np.nonzero(pictures.whole[0].any(axis=0))
    inside = np.zeros_like(differs)
    reach = 8 if noun in ("lamp", "candle") else 1  # light falls beyond what shines
    inside[
        max(0, rows.min() - reach) : rows.max() + 1 + reach, max(0, columns.min() - reach) : columns.max() + 1 + reach
    ] = True
    assert not (differs & ~inside).any()
    assert (differs & pictures.whole[0].any(axis=0)).sum() >= 12


@pytest.mark.parametrize("noun", NOUNS)
def test_nothing_changes_before_its_time(noun):
    found = clip(noun, "audible change")
    state = found.facts["states"][0]
    pictures = paint(without_hand(found)).pixels.astype(int)
    before = np.arange(len(pictures)) * FRAME < state["contact_times"][0]
    assert (pictures[before] == pictures[0]).all()
    assert (np.abs(pictures[~before] - pictures[0]).max(axis=(1, 2, 3)) > 24)[1:].all()


def test_bystanders_stay_as_they_are():
    for index in range(40):
        found = scene(BUSY, "train", index)
        touched = {state["object"] for state in found.facts["states"]}
        things = without_hand(found)
        if len(touched) < len(things.bodies) and found.facts["mix"] in CHANGES:
            break
    pictures = paint(things)
    for number in set(range(len(things.bodies))) - touched:
        assert (pictures.whole[number] == pictures.whole[number, 0]).all()


@pytest.mark.parametrize("noun", [noun for noun in NOUNS if action(noun).tool == "hand"])
def test_the_hand_touches_within_half_a_frame(noun):
    found = clip(noun, "audible contact")
    found = dataclasses.replace(found, grade=dataclasses.replace(found.grade, shake=0.0))
    state, size = found.facts["states"][0], found.format.size
    x, y = contact_place(found.bodies[0], state["before"])
    rows, columns = np.mgrid[:size, :size] + 0.5
    far = np.hypot(rows - y * size, columns - x * size)
    touching = [np.min(far[seen], initial=size) <= 1.2 for seen in paint(found).masks[state["hand"]]]
    first = np.flatnonzero(touching)[0] * FRAME - FRAME / 2  # it came between this picture and the last
    assert abs(first - state["contact_times"][0]) <= FRAME / 2 + 1e-6


def test_the_hammer_is_down_at_its_touch_and_only_there():
    times = np.array([1.6, 1.9, 1.99, 2.0, 2.05, 2.3])
    blow = (Event(-1, TOUCH, 2.0, 2.1, 1.0, 0),)
    down = np.hypot(away(times, blow), lift(times, blow)) < 1e-9
    assert down.tolist() == [False, False, False, True, False, False]


def test_a_miss_does_not_touch_and_nothing_shows_no_hand():
    found = clip("lamp", "neither")
    hand = paint(found).masks[found.facts["states"][0]["hand"]]
    assert hand.any()
    assert not paint(clip("lamp", "neither", hand=False)).masks[1:].any()
    times = np.linspace(0, 4.8, 2_000)
    assert away(times, (Event(-1, "miss", 2.0, 2.1, 1.0, 0),), 0.3).min() == pytest.approx(0.3, abs=0.01)


def test_the_hand_comes_alike_whatever_follows():
    times = np.linspace(1.0, 2.0, 100)
    touch, miss = Event(-1, TOUCH, 2.0, 2.1, 1.0, 0), Event(-1, "miss", 2.0, 2.1, 1.0, 0)
    near, short = away(times, (touch,)), away(times, (miss,), 0.3)
    assert (np.diff(near) <= 1e-9).all()
    assert (np.diff(short) <= 1e-9).all()


# ------------------------------------------------------------------------------------------------------------ sounds
@pytest.mark.parametrize("noun", NOUNS)
@pytest.mark.parametrize("mixed", ["audible change", "audible contact"])
def test_what_is_heard_begins_at_its_time(noun, mixed):
    found = clip(noun, mixed)
    _, stems = mix(found)
    start = round(found.events[0].start_seconds * RATE)
    sound = stems["source 0"].astype(float)
    assert np.abs(sound[: start - 1]).max() == pytest.approx(0, abs=1e-6)
    peak = np.abs(sound[start : start + 80]).max()  # 5 ms
    noise = np.sqrt((stems["background"].astype(float) ** 2).mean())
    assert peak > 5 * noise


@pytest.mark.parametrize("noun", NOUNS)
def test_silent_changes_are_silent(noun):
    found = clip(noun, "silent change")
    heard, stems = mix(found)
    assert list(stems) == ["background"]
    at = round(found.facts["states"][0]["t_change"] * RATE)
    around = [np.mean(heard[at + k * 800 : at + (k + 1) * 800].astype(float) ** 2) for k in (-2, -1, 0, 1)]
    assert max(around) < 2.5 * min(around)


def test_a_filling_jar_rises_as_the_air_above_the_water_gets_shorter():
    who = Instance("jar", 0, (0.5,) * 8, 0.5, 7)
    pitch = 400.0
    sound = kind("jar").voice(Source(who, 0, pitch, 0.0, 11), (Event(0, CHANGE, 0.5, 1.35, 1.0, 0),), 2 * RATE)
    for since in (0.15, 0.4, 0.6, 0.75):
        share = FULLEST * since / FILL_SECONDS
        expected = SPEED_OF_SOUND / (4 * (length_metres(pitch) - share * length_metres(pitch)))
        assert resonance_hz(pitch, filled(np.array(since))) == pytest.approx(expected)
        middle = round((0.5 + since) * RATE)
        part = sound[middle - 640 : middle + 640].astype(float) * np.hanning(1280)
        power = np.abs(np.fft.rfft(part, 8_192)) ** 2
        hertz = np.fft.rfftfreq(8_192, 1 / RATE)
        band = (hertz > 0.5 * expected) & (hertz < 2 * expected)
        assert (power * hertz)[band].sum() / power[band].sum() == pytest.approx(expected, rel=0.15)


# --------------------------------------------------------------------------------------------------- truth and leaks
def record(found: Scene) -> dict:
    """What baselines read of a manifest record."""
    boxes = [[0.0] * 4] * found.format.frames
    return {"duration_seconds": found.format.seconds, "truth": {"objects": [{"boxes": boxes}], **found.facts}}


def test_baselines_say_what_blind_guesses_reach(scenes):
    found = baselines([record(own) for own in scenes])
    assert found["state_change"]["majority"] == pytest.approx(0.65, abs=0.02)
    assert found["anticipation"]["chance"] == 1 / 8
    assert found["anticipation"]["ceiling"] == pytest.approx(chain().max(), abs=1e-4)
    assert found["anticipation"]["majority"] < 0.22
    assert found["change_point"]["mid_clip_error_seconds"] == pytest.approx((4.8 / 2 - MARGIN_SECONDS) / 2, abs=0.1)
    assert 0.04 < found["moments"]["prevalence"] < 0.12


@pytest.mark.parametrize("level", [1, 3])
def test_the_truth_keeps_its_schema(level):
    preset = resolve("unit", track="I", size=64, level=level)
    for index in range(3):
        found = render(scene(preset, "test", index))
        check_truth(found.truth, strict=True)
        if found.scene.board:
            assert found.truth["objects"][found.scene.board.body]["class"] in NOUNS


def test_states_reach_the_truth():
    found = render(clip("cup", "audible change"))
    state = found.truth["states"][0]
    assert found.truth["mix"] == "audible change"
    assert found.truth["objects"][state["object"]]["class"] == "cup"
    assert found.truth["objects"][state["hand"]]["class"] == action("cup").tool
    assert found.truth["events"][0]["t_on"] == state["t_change"]
    assert found.labels == ("break cup",)


@pytest.mark.full
@pytest.mark.timeout(900)
def test_nuisance_features_do_not_tell_the_action(scenes):
    records = [{"labels": own.labels, "nuisance": render(own).nuisance} for own in scenes if own.labels]
    labels = np.array([own["labels"][0] for own in records])
    limit = 1 / 8 + 3 * np.sqrt(1 / 8 * 7 / 8 / len(labels))
    for name in GATED:
        assert _accuracy(_column(records, (name,)), labels) <= limit, name
