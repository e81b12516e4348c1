"""Full occlusion: for half a second nothing of the body is seen, and the truth says so."""

import dataclasses

import numpy as np
import pytest

from seehear.world import render, scene
from seehear.world.painting.occlusion import SLIDE_SECONDS, away, cover
from seehear.world.presets import resolve
from seehear.world.scenes import Board
from seehear.world.truth.facts import occlusion

PRESET = resolve("base", level=3, size=64)
BOARD = Board(0, 1.0, 1.5, True, (0.5, 0.2, 0.4), 7)


@pytest.mark.parametrize("index", range(3))
def test_a_body_is_hidden_whole_for_half_a_second(index):
    clip = dataclasses.replace(scene(PRESET, "train", index, 0), shots=())
    board = clip.board
    assert board.stop_seconds - board.start_seconds == pytest.approx(0.5)
    rendered = render(clip)
    times = np.arange(clip.format.frames) * 0.08
    inside = (times >= board.start_seconds) & (times <= board.stop_seconds)
    assert inside.sum() >= 6
    assert not rendered.masks[board.body][inside].any()
    hidden = np.array(rendered.truth["occlusion"][board.body])
    assert (hidden[inside] == 1).all()
    gone = (times < board.start_seconds - SLIDE_SECONDS) | (times > board.stop_seconds + SLIDE_SECONDS)
    without = render(dataclasses.replace(clip, board=None))
    assert (rendered.masks[:, gone] == without.masks[:, gone]).all()
    assert (rendered.masks <= without.masks).all()


def test_the_board_comes_and_goes():
    times = np.array([0.0, 1.0 - SLIDE_SECONDS / 2, 1.0, 1.5, 1.5 + SLIDE_SECONDS, 3.0])
    np.testing.assert_allclose(away(BOARD, times), [1, 0.5, 0, 0, 1, 1])


def test_the_board_covers_the_body_and_leaves_the_rest():
    whole = np.zeros((2, 32, 32), bool)
    whole[:, 10:20, 12:18] = True
    frames = np.ones((2, 32, 32, 3), np.float32)
    shown = cover(BOARD, frames, whole, np.array([0.0, 1.2]))
    assert not shown[0].any()
    assert (shown[1] >= whole[1]).all()
    assert shown[1].sum() == 14 * 10
    assert (frames[~shown] == 1).all()
    assert (frames[shown] != 1).all()
    assert not cover(BOARD, frames, np.zeros_like(whole), np.array([0.0, 1.2])).any()


def test_occlusion_is_the_hidden_share_of_each_frame():
    whole = np.zeros((3, 4, 4), bool)
    whole[:2, :2, :2] = True
    seen = whole.copy()
    seen[0, 0, 0] = False
    assert occlusion(seen, whole).tolist() == [0.25, 0.0, 0.0]


def test_bodies_of_level_two_hide_less_than_half_of_each_other():
    preset = resolve("base", level=2, size=64, seconds=1.6)
    worst = [
        max(thing["occlusion"] for thing in render(scene(preset, "train", index, 0)).truth["objects"])
        for index in range(12)
    ]
    assert 0 < max(worst) < 0.5
