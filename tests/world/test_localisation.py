"""Track L: strata, negatives and shares as promised, nothing but sound tells who sounds, baselines as by hand."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seehear.world import render, scene
from seehear.world.classes import NAMES, kind
from seehear.world.drawing.draws import Draws
from seehear.world.painting.picture import paint
from seehear.world.presets import resolve
from seehear.world.tracks import localisation
from seehear.world.tracks.localisation import AREAS, BOX_FILL, LARGE, SMALL, SPEAKER, covered_area
from seehear.world.truth.facts import boxes
from seehear.world.truth.schema import check_truth

PRESET = resolve("base", track="L", level=0, size=64, seconds=1.6)
COUNT = 600


@pytest.fixture(scope="module")
def scenes():
    return [scene(PRESET, "train", index, 0) for index in range(COUNT)]


@pytest.fixture(scope="module")
def painted(scenes):
    """Of 110 clips: the scene, boxes at the middle frame, and the facts."""
    found = []
    for clip in scenes[:110]:
        pictures = paint(clip)
        middle = boxes(pictures.masks[:, pictures.masks.shape[1] // 2])
        found.append((clip, middle, localisation.measure(clip, pictures, {})["localisation"]))
    return found


def facts(clip):
    return clip.facts["localisation"]


def positive(scenes):
    return [clip for clip in scenes if facts(clip)["negative"] is None]


def drawn_area(body):
    return body.size**2 * BOX_FILL[body.instance.kind]


def heard_bodies(clip):
    return {source.body for source in clip.sources}


# ------------------------------------------------------------------------------------------------------------ sampling
def test_shares_of_negatives_and_of_players_that_never_move(scenes):
    kinds = [facts(clip)["negative"] for clip in scenes]
    assert abs(kinds.count("off-screen") / COUNT - 0.1) < 0.035
    assert abs(kinds.count("silent") / COUNT - 0.1) < 0.035
    static = [clip for clip in scenes if facts(clip)["static_source"]]
    assert abs(len(static) / COUNT - 0.15) < 0.04
    assert all(clip.bodies[clip.sources[0].body].instance.kind == SPEAKER for clip in static)


def test_bodies_are_of_different_classes_and_one_is_silent(scenes):
    counts = set()
    for clip in scenes:
        names = [body.instance.kind for body in clip.bodies]
        assert len(set(names)) == len(names)
        counts.add((len(names), len(clip.sources) if facts(clip)["negative"] is None else 0))
        assert clip.labels == tuple(source.instance.kind for source in clip.sources)
    assert counts == {(2, 0), (3, 0), (4, 0), (2, 1), (3, 1), (3, 2), (4, 2)}


def test_what_is_heard_is_a_visible_body_of_its_class_or_else_a_loudspeaker_or_else_off_screen(scenes):
    for clip in scenes:
        names = [body.instance.kind for body in clip.bodies]
        for source in clip.sources:
            if source.instance.kind in names:
                assert names[source.body] == source.instance.kind
            elif SPEAKER in names:
                assert names[source.body] == SPEAKER
            else:
                assert source.body is None
    assert {len(clip.sources) for clip in scenes if facts(clip)["negative"] == "off-screen"} == {1}
    assert {len(clip.sources) for clip in scenes if facts(clip)["negative"] == "silent"} == {0}


def test_moving_does_not_tell_who_sounds(scenes):
    moves, sounds = [], []
    for clip in positive(scenes):
        mimes = {mime.body for mime in clip.mimes}
        for number, body in enumerate(clip.bodies):
            sounds.append(number in heard_bodies(clip))
            moves.append(body.instance.kind != SPEAKER and (sounds[-1] or number in mimes))
            assert not (sounds[-1] and number in mimes)
    assert 0.7 < np.mean(moves) < 0.95
    assert abs(np.corrcoef(moves, sounds)[0, 1]) < 0.12


def test_seeing_a_loudspeaker_does_not_tell_that_it_sounds(scenes):
    sounds = [
        number in heard_bodies(clip)
        for clip in positive(scenes)
        for number, body in enumerate(clip.bodies)
        if body.instance.kind == SPEAKER
    ]
    assert 0.4 < np.mean(sounds) < 0.65


def test_the_largest_body_is_silent_in_half_of_the_clips_of_every_stratum(scenes):
    silent = {name: [] for name in AREAS}
    for clip in positive(scenes):
        areas = [drawn_area(body) for body in clip.bodies]
        stratum = localisation.stratum_of(sum(areas[number] for number in heard_bodies(clip)))
        silent[stratum].append(int(np.argmax(areas)) not in heard_bodies(clip))
    assert [len(own) / len(positive(scenes)) for own in silent.values()] == pytest.approx([1 / 3] * 3, abs=0.06)
    assert [np.mean(own) for own in silent.values()] == pytest.approx([0.5] * 3, abs=0.1)


def test_classes_sound_equally_often(scenes):
    first = [clip.sources[0].instance.kind for clip in positive(scenes)]
    counts = [first.count(name) for name in NAMES]
    assert min(counts) > 0.5 * np.mean(counts)
    assert max(counts) < 1.5 * np.mean(counts)


@pytest.mark.parametrize("level", [1, 3])
def test_higher_levels_and_other_splits_keep_the_promises(level):
    preset = resolve("base", track="L", level=level)
    for split in ("train", "test"):
        for clip in (scene(preset, split, index, 5) for index in range(40)):
            names = [body.instance.kind for body in clip.bodies]
            assert len(set(names)) == len(names) >= 2
            assert not {mime.body for mime in clip.mimes} & heard_bodies(clip)
    assert scene(preset, "test", 3, 5) == scene(preset, "test", 3, 5)


# ------------------------------------------------------------------------------------------------------ painted truth
def test_areas_and_strata_are_those_of_the_painted_boxes(painted):
    strata, areas = [], []
    for clip, found, own in painted:
        sizes = (found[:, 2:] - found[:, :2]).prod(axis=1)
        areas += sizes.tolist()
        sounding = sorted(heard_bodies(clip) - {None})
        assert own["largest_silent"] == (int(sizes.argmax()) not in sounding)
        if own["negative"] is not None:
            assert (own["area"], own["stratum"]) == (None, None)
            continue
        canvas = np.zeros((64, 64), bool)
        for x0, y0, x1, y1 in np.round(found[sounding] * 64).astype(int):
            canvas[y0:y1, x0:x1] = True
        assert own["area"] == pytest.approx(canvas.mean(), abs=1e-4)
        assert own["stratum"] == ("large" if own["area"] >= LARGE else "small" if own["area"] < SMALL else "medium")
        strata.append(own["stratum"])
    assert min(strata.count(name) / len(strata) for name in AREAS) > 0.22
    assert min(areas) > 0.025
    assert np.quantile(areas, 0.02) > 0.037
    assert np.quantile(areas, 0.98) < 0.36
    assert max(areas) < 0.46


@pytest.mark.parametrize("name", BOX_FILL)
def test_the_fill_of_boxes_is_that_of_painted_bodies(name):
    clip = scene(PRESET, "train", 0, 0)
    draws = Draws(PRESET, "train", 0, 0)
    measured = []
    for number in range(6):
        body = dataclasses.replace(draws.body(f"sample {number}", name, 1, sizes=(0.5, 0.5)), x=0.5, y=0.5)
        if number % 2:  # as it rests, or as it sounds
            events = tuple(draws.rhythm(body.instance, 0, "events", number))
            source = draws.source(body, 0)
        else:
            events, source = (), draws.source(body, 0)
        alone = dataclasses.replace(clip, bodies=(body,), sources=(source,), events=events, mimes=(), shots=())
        masks = paint(alone).masks[0]
        x0, y0, x1, y1 = boxes(masks)[len(masks) // 2]
        measured.append((x1 - x0) * (y1 - y0) / body.size**2)
    assert np.mean(measured) == pytest.approx(BOX_FILL[name], rel=0.2)
    assert set(BOX_FILL) == {*NAMES, SPEAKER}


@given(st.lists(st.tuples(*[st.integers(0, 8)] * 4), max_size=4))
def test_the_area_under_boxes_counts_every_point_once(corners):
    found = np.array([[min(a, c), min(b, d), max(a, c), max(b, d)] for a, b, c, d in corners], float).reshape(-1, 4)
    canvas = np.zeros((8, 8), bool)
    for x0, y0, x1, y1 in found.astype(int):
        canvas[y0:y1, x0:x1] = True
    assert covered_area(found / 8) == pytest.approx(canvas.mean())


# ----------------------------------------------------------------------------------------------- negatives and speaker
def first_with(scenes, wanted):
    return render(next(clip for clip in scenes if wanted(facts(clip))))


def test_a_silent_clip_is_noise_at_the_drawn_loudness(scenes):
    clip = first_with(scenes, lambda own: own["negative"] == "silent")
    assert (clip.labels, clip.truth["sources"], clip.truth["events"], set(clip.stems)) == ((), [], [], {"background"})
    level = 20 * np.log10(np.sqrt(np.mean(clip.waveform.astype(float) ** 2)))
    assert level == pytest.approx(clip.scene.grade.loudness_db, abs=0.01)
    assert clip.truth["noise"]["snr_db"] is None
    assert clip.caption
    assert not any(item["sounding"] for item in clip.truth["objects"])
    json.dumps(clip.truth)
    json.dumps(clip.nuisance)


def test_an_off_screen_clip_shows_only_silent_bodies(scenes):
    clip = first_with(scenes, lambda own: own["negative"] == "off-screen")
    (source,) = clip.truth["sources"]
    assert not source["on_screen"]
    assert clip.labels == (source["class"],)
    assert source["class"] not in [item["class"] for item in clip.truth["objects"]]
    assert not any(item["sounding"] for item in clip.truth["objects"])
    assert source["rms_db"] > -60


def test_a_loudspeaker_sounds_like_any_class_and_stands_still(scenes):
    clip = first_with(scenes, lambda own: own["static_source"])
    source = clip.truth["sources"][0]
    box = clip.scene.bodies[source["object"]]
    assert box.instance.kind == SPEAKER
    assert source["class"] in NAMES
    assert clip.labels[0] == source["class"]
    assert source["rms_db"] > -60
    assert clip.truth["objects"][source["object"]]["sounding"]
    alone = dataclasses.replace(clip.scene, bodies=(box,), sources=clip.scene.sources[:1], mimes=())
    pixels = paint(alone).pixels
    assert (pixels == pixels[:1]).all()
    played = [own.sources[0].instance.kind for own in scenes if facts(own)["static_source"]]
    assert len(set(played)) >= 18


def test_a_loudspeaker_has_no_sound_of_its_own():
    clip = scene(PRESET, "train", 0, 0)
    source = dataclasses.replace(clip.sources[0], instance=dataclasses.replace(clip.sources[0].instance, kind=SPEAKER))
    assert not kind(SPEAKER).voice(source, clip.events, 100).any()


@pytest.mark.parametrize("intervention", ["", "mute", "swap", "without_distractors"])
def test_views_are_valid_and_swapped_clips_sound(intervention):
    preset = resolve(PRESET, intervention=intervention)
    for index in range(4):
        clip = render(scene(preset, "test", index, 0))
        check_truth(json.loads(json.dumps(clip.truth)), strict=True)
        assert clip.truth["sources"] or intervention != "swap"
    localisation.baselines([{"truth": clip.truth}])


# ----------------------------------------------------------------------------------------------------------- baselines
def record(objects, stratum, negative=None, index=0):
    """A clip of one frame: (box, sounding) of every object."""
    told = {"negative": negative, "stratum": stratum}
    return {
        "truth": {
            "seed": 0,
            "index": index,
            "objects": [{"boxes": [box], "sounding": sounding} for box, sounding in objects],
            "localisation": told,
        }
    }


def test_baselines_are_those_worked_out_by_hand():
    whole, corner, middle = [0, 0, 1, 1], [0, 0, 0.25, 0.25], [0.25, 0.25, 0.75, 0.75]
    found = localisation.baselines(
        [
            record([(middle, True), (corner, False)], "large"),
            record([(corner, True), (middle, False)], "small"),
            record([(corner, False), (whole, False)], None, "silent"),
        ]
    )
    assert found["whole_image"]["large"] == {"ciou": 0.0, "pointing": 0.25}
    assert found["whole_image"]["small"] == {"ciou": 0.0, "pointing": 0.0625}
    assert found["largest_object"]["all"] == {"ciou": 0.5, "pointing": 0.5}
    assert found["shuffled_audio"]["small"] == {"ciou": 0.5, "pointing": 0.5}
    assert found["centre_disc"]["large"]["pointing"] == 1.0
    assert found["centre_disc"]["small"] == {"ciou": 0.0, "pointing": 0.0}
    assert "medium" not in found["centre_disc"]
    assert found["negatives"] == {"share": 0.3333, "false_positive_rate": 1.0, "ap": 0.6667}


def test_two_objects_of_which_one_sounds_leave_half_to_shuffled_audio(painted):
    records = []
    for clip, found, own in painted:
        sounding = heard_bodies(clip)
        objects = [(box.tolist(), number in sounding) for number, box in enumerate(found)]
        records.append(record(objects, own["stratum"], own["negative"], clip.index))
    pairs = [item for item in records if len(item["truth"]["objects"]) == 2]
    figures = localisation.baselines(records)
    assert localisation.baselines(pairs)["shuffled_audio"]["all"]["pointing"] == pytest.approx(0.5, abs=0.03)
    assert 0.35 < figures["shuffled_audio"]["all"]["pointing"] < 0.6
    assert 0.35 < figures["largest_object"]["all"]["pointing"] < 0.65
    assert figures["random_box"]["all"]["ciou"] < 0.15
    assert figures["centre_disc"]["small"]["ciou"] == 0.0
    assert figures["whole_image"]["all"]["ciou"] == 0.0
    assert 0.1 < figures["negatives"]["share"] < 0.3
