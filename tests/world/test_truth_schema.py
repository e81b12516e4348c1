"""The truth's fields, their check, and the readers: whatever is wrong is named by its path."""

import copy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seehear.errors import DataError
from seehear.world import memory_clips
from seehear.world.truth.fields import FIELDS, SCHEMA_VERSION, lines, table
from seehear.world.truth.reading import read_truth
from seehear.world.truth.schema import check_truth

HARD = {"preset": "base", "split": "test", "size": 64, "seconds": 1.6, "level": 3, "seed": 3}


@pytest.fixture(scope="module")
def clip():
    """A clip of level 3 with several bodies."""
    return next(item for item in memory_clips(**HARD) if len(item.scene.bodies) > 2)


@pytest.fixture
def truth(clip):
    """Its truth, to be damaged."""
    return copy.deepcopy(clip.truth)


@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("options", [{}, {"parent_labels": True, "removed_labels": 0.3}])
def test_every_clip_of_track_a_is_valid(level, options):
    for split in ("train", "test"):
        for item in memory_clips("base", split, count=2, size=64, seconds=1.6, level=level, **options):
            check_truth(item.truth, strict=True)


def test_readers_give_what_the_scene_holds(clip):
    found = read_truth(clip.truth, strict=True)
    scene = clip.scene
    bodies, frames = len(scene.bodies), scene.format.frames
    assert (found.schema, found.track, found.seed, found.level) == (SCHEMA_VERSION, "A", 3, 3)
    assert found.index == scene.index
    assert found.objects.boxes.shape == (bodies, frames, 4)
    assert found.objects.boxes.dtype == np.float32
    assert found.objects.occlusion.shape == (bodies, frames)
    assert found.objects.classes == tuple(body.instance.kind for body in scene.bodies)
    assert found.objects.sounding.tolist() == [k in {s.body for s in scene.sources} for k in range(bodies)]
    assert found.sources.objects.tolist() == [-1 if s.body is None else s.body for s in scene.sources]
    assert found.events.t_on.tolist() == [event.start_seconds for event in scene.events]
    assert found.events.kinds == tuple(event.kind for event in scene.events)
    assert found.room["background"] == scene.background.instance
    assert found.facts["label_single"] == scene.labels[0]
    assert set(found.facts) >= {"shots", "board", "mimes", "candidates", "caption_template"}


def test_boxes_and_occlusion_are_those_of_the_masks(clip):
    objects = read_truth(clip.truth).objects
    rows, columns = clip.masks.any(axis=3), clip.masks.any(axis=2)
    size = clip.scene.format.size
    for body, frame in np.argwhere(clip.masks.any(axis=(2, 3))):
        x0, y0, x1, y1 = objects.boxes[body, frame] * size
        assert (x0, x1) == pytest.approx(span(columns[body, frame]), abs=0.01)
        assert (y0, y1) == pytest.approx(span(rows[body, frame]), abs=0.01)
    assert not objects.boxes[~clip.masks.any(axis=(2, 3))].any()
    area = clip.whole.sum(axis=(2, 3))
    hidden = 1 - clip.masks.sum(axis=(2, 3)) / np.maximum(area, 1)
    np.testing.assert_allclose(objects.occlusion, np.where(area > 0, hidden, 0), atol=1e-4)


def span(found):
    places = np.flatnonzero(found)
    return places[0], places[-1] + 1


def put(truth, path, value):
    for key in path[:-1]:
        truth = truth[key]
    truth[path[-1]] = value


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("objects", 1, "size"), "large", r"truth\.objects\[1\]\.size is 'large'; expected a finite number"),
        (("objects", 1, "size"), float("nan"), r"truth\.objects\[1\]\.size is nan"),
        (("objects", 1, "gloss"), 1.5, r"truth\.objects\[1\]\.gloss is 1\.5; expected a finite number in 0 to 1"),
        (("objects", 1, "sounding"), 1, r"truth\.objects\[1\]\.sounding is 1; expected true or false"),
        (("objects", 1, "instance"), True, r"truth\.objects\[1\]\.instance is True; expected a whole number"),
        (("objects", 1, "boxes"), [[0.1, 0.1, 0.2]], r"boxes has the shape \[1, 3\]; expected \[T, 4\] with T = 20"),
        (("objects", 1, "boxes"), [[0, 0, 1, 1], [0]], r"boxes has rows of different lengths; expected numbers"),
        (("objects", 1, "boxes"), [[0, 0, 1, 2]] * 20, r"boxes holds values from 0 to 2"),
        (("objects", 1, "boxes"), [[0.5, 0, 0.1, 1]] * 20, r"truth\.objects\[1\]\.boxes has x0 > x1"),
        (("objects", 1, "boxes"), [["a"] * 4] * 20, r"boxes holds \[\['a'.*expected numbers \[T, 4\]"),
        (("objects", 1, "boxes"), {}, r"boxes is \{\}; expected numbers"),
        (("objects",), {}, r"truth\.objects is \{\}; expected a list \[N\] of objects"),
        (("objects", 0), 7, r"truth\.objects\[0\] is 7; expected an object of named values"),
        (
            ("occlusion",),
            [[0.0] * 20],
            r"truth\.occlusion has the shape \[1, 20\]; expected \[N, T\] with N = \d, T = 20",
        ),
        (("sources", 0, "object"), 9, r"truth\.sources\[0\]\.object is 9; expected null, or 0 to"),
        (("sources", 0, "on_screen"), "yes", r"truth\.sources\[0\]\.on_screen is 'yes'"),
        (("events", 0, "source"), 7, r"truth\.events\[0\]\.source is 7; expected 0 to"),
        (("events", 0, "t_off"), -1.0, r"truth\.events\[0\] lasts from .* to -1\.0 s; expected t_on <= t_off"),
        (("shots", 0, "first"), [0.5, 0.5], r"truth\.shots\[0\]\.first has the shape \[2\]; expected \[3\]"),
        (("candidates", "sound"), [1], r"truth\.candidates\.sound holds \[1\]; expected texts \[\*\]"),
        (("label_single",), None, r"truth\.label_single is None; expected a text"),
        (
            ("schema",),
            SCHEMA_VERSION + 1,
            r"truth\.schema is 2; expected 1; .*newer release; try: pip install --upgrade",
        ),
        (("schema",), "1", r"truth\.schema is '1'; expected 1; .*damaged or foreign"),
    ],
)
def test_a_bad_field_is_named(truth, path, value, message):
    put(truth, path, value)
    with pytest.raises(DataError, match=message):
        check_truth(truth)


@pytest.mark.parametrize("path", [own.name for own in FIELDS if not own.optional and "A" in (own.tracks or "A")])
def test_a_missing_field_is_named(truth, path):
    del truth[path]
    with pytest.raises(DataError, match=rf"truth\.{path} is missing"):
        read_truth(truth)


def test_a_missing_field_of_a_record_is_named(truth):
    del truth["objects"][1]["boxes"]
    with pytest.raises(DataError, match=r"truth\.objects\[1\]\.boxes is missing; expected numbers \[T, 4\] in 0 to 1"):
        read_truth(truth)
    with pytest.raises(DataError, match=r"truth is \[\]; expected an object"):
        read_truth([])


def test_undeclared_fields_pass_unless_asked_otherwise(truth):
    truth["lable_single"] = "bell"
    assert read_truth(truth).facts["lable_single"] == "bell"
    with pytest.raises(DataError, match=r"truth\.lable_single is not a declared field; .*try: label_single\?"):
        read_truth(truth, strict=True)
    other = copy.deepcopy(truth) | {"track": "?"}  # fields of track A on another track
    del other["lable_single"]
    with pytest.raises(DataError, match="is not a declared field"):
        read_truth(other, strict=True)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_whatever_a_field_becomes_it_is_read_or_refused(clip, data):
    damaged = copy.deepcopy(clip.truth)
    name = data.draw(st.sampled_from(sorted(damaged)))
    inner = damaged[name]
    if isinstance(inner, list) and inner and isinstance(inner[0], dict) and data.draw(st.booleans()):
        name, damaged_in = data.draw(st.sampled_from(sorted(inner[0]))), inner[0]
    else:
        damaged_in = damaged
    damaged_in[name] = data.draw(JSON)
    try:
        found = read_truth(damaged)
    except DataError:
        return
    assert found.objects.boxes.shape == (*found.objects.occlusion.shape, 4)


def test_the_page_holds_the_table_and_its_example_runs(tmp_path):
    page = Path(__file__).parents[2].joinpath("docs", "truth.md").read_text(encoding="utf-8")
    assert table() in page, "docs/truth.md does not hold truth_fields.table(): put it there"
    example = page.split("```python\n")[1].split("```")[0]
    run = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout


def test_every_field_is_declared_once_and_said():
    paths = [path for path, _ in lines()]
    assert len(paths) == len(set(paths))
    assert all(own.meaning for _, own in lines())
    assert {own.name for own in FIELDS} >= {"objects", "sources", "events"}
