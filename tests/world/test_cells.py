"""Parameter cells: test clips and the others share none, in presets that promise it."""

import dataclasses

import pytest

from seehear.errors import DataError
from seehear.world import PRESETS, scene
from seehear.world.classes import NAMES
from seehear.world.drawing import cells
from seehear.world.drawing.draws import pitch_at, size_at
from seehear.world.presets import resolve

COUNT = 200


def found(preset, split, count=COUNT):
    """Cells of all bodies and unseen sources of some clips."""
    result = set()
    for clip in (scene(preset, split, index, 0) for index in range(count)):
        result |= {cells.cell(body.instance, body.size, body.pitch_hz) for body in clip.bodies}
        for source in (own for own in clip.sources if own.body is None):
            size = size_at(source.instance.kind, source.pitch_hz)
            result.add(cells.cell(source.instance, size, source.pitch_hz))
    return result


def test_test_clips_share_no_cell_with_the_others():
    held_out = found("base", "test") | found("base", "test_ood")
    seen = found("base", "train") | found("base", "val") | found("base", "test_iid")
    assert len(held_out) > 100
    assert len(seen) > 300
    assert not held_out & seen
    assert all(cells.held_out(one) for one in held_out)
    assert not any(cells.held_out(one) for one in seen)


def test_without_the_promise_cells_are_shared():
    preset = dataclasses.replace(resolve("base"), cells=False)
    assert found(preset, "test") & found(preset, "train")


def test_about_a_fifth_of_the_cells_is_held_out():
    preset = dataclasses.replace(resolve("base"), cells=False)
    every = found(preset, "train", 400)
    assert 0.14 < sum(map(cells.held_out, every)) / len(every) < 0.26


def test_only_new_presets_have_cells():
    assert {name for name, preset in PRESETS.items() if preset.cells} == {"base", "large"}
    assert PRESETS["base"].to_dict()["cells"] is True
    assert "cells" not in PRESETS["tiny"].to_dict()
    assert set(PRESETS["base"].classes) == set(PRESETS["large"].classes) == set(NAMES)


def test_base_and_large_draw_the_same_clips():
    assert scene("base", "train", 7, 0) == scene("large", "train", 7, 0)


@pytest.mark.parametrize("name", NAMES)
def test_the_size_that_a_pitch_means(name):
    for size in (0.25, 0.5, 0.8):
        assert size_at(name, pitch_at(name, size)) == pytest.approx(size)


def test_the_first_attempt_is_the_draw_without_cells():
    paths = cells.attempts((0, "train", "A", 1, "body", 0))
    assert paths[0] == (0, "train", "A", 1, "body", 0)
    assert len(set(paths)) == cells.MOST_ATTEMPTS


def test_a_cell_that_cannot_be_left_is_said(monkeypatch):
    monkeypatch.setattr(cells, "held_out", lambda _: True)
    with pytest.raises(DataError, match=r"no draw of .* lies in a parameter cell of split 'train'"):
        scene("base", "train", 0)
