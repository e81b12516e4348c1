"""The camera: closed-form windows, masks that move with the picture, cuts, windows inside the picture."""

import dataclasses

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seehear.world import render, scene
from seehear.world.painting.camera import draw_shots, film, film_masks, views
from seehear.world.presets import resolve
from seehear.world.scenes import Shot
from seehear.world.streams import stream
from seehear.world.truth.facts import boxes

WHOLE = (0.5, 0.5, 1.0)


def still(view):
    return np.array([view])


def test_the_whole_view_changes_nothing():
    rng = np.random.default_rng(0)
    frames = rng.uniform(size=(1, 16, 16, 3)).astype(np.float32)
    masks = rng.uniform(size=(2, 1, 16, 16)) < 0.5
    np.testing.assert_allclose(film(frames, still(WHOLE)), frames, atol=1e-6)
    assert (film_masks(masks, still(WHOLE)) == masks).all()


def test_a_ramp_is_seen_where_the_window_stands():
    y, x = np.mgrid[:32, :32]
    frames = np.stack([x, y, x * 0], axis=-1).astype(np.float32)[None]
    seen = film(frames, still((0.45, 0.55, 1.25)))
    places = (np.arange(32) + 0.5) / 1.25 - 0.5
    np.testing.assert_allclose(seen[0, 5, :, 0], places + 0.45 * 32 - 16 / 1.25, atol=1e-4)
    np.testing.assert_allclose(seen[0, :, 5, 1], places + 0.55 * 32 - 16 / 1.25, atol=1e-4)


def test_a_box_is_zoomed_as_geometry_says():
    masks = np.zeros((1, 1, 80, 80), bool)
    masks[..., 20:40, 30:60] = True
    found = boxes(film_masks(masks, still((0.5, 0.5, 1.25)))[0])[0]
    edges = 0.5 + (np.array([30, 20, 60, 40]) / 80 - 0.5) * 1.25
    np.testing.assert_allclose(found, edges, atol=1 / 80)


@given(seed=st.integers(0, 2**32), moves=st.sampled_from([1, 2]), count=st.sampled_from([1, 2]))
def test_windows_stay_inside_and_move_as_often_as_asked(seed, moves, count):
    shots = draw_shots(stream(seed), moves, count, 3.2)
    times = np.arange(40) * 0.08
    path = views(shots, times, 3.2)
    assert len(shots) == count
    assert (np.abs(path[:, :2] - 0.5) <= 0.5 - 0.5 / path[:, 2:] + 1e-5).all()
    for shot in shots:
        zoomed = shot.first[2] != shot.last[2]
        if moves == 2:
            assert zoomed
            assert shot.first[:2] != shot.last[:2]
        elif not zoomed:
            assert shot.first[:2] != shot.last[:2]
        else:
            assert WHOLE in (shot.first, shot.last)


def test_a_cut_jumps_between_two_frames():
    shots = (Shot(0.0, WHOLE, WHOLE), Shot(1.0, (0.45, 0.5, 1.2), (0.55, 0.5, 1.2)))
    path = views(shots, np.array([0.0, 0.96, 1.04, 2.0]), 3.0)
    np.testing.assert_allclose(path[:, 2], [1, 1, 1.2, 1.2])
    np.testing.assert_allclose(path[:, 0], [0.5, 0.5, 0.452, 0.5])


def test_truth_follows_the_camera():
    """Boxes of a filmed clip are those of the fixed camera, moved by each frame's window."""
    preset = resolve("base", level=2, size=96, seconds=1.6)
    clip = scene(preset, "train", 2, 0)
    fixed = dataclasses.replace(clip, shots=(), grade=dataclasses.replace(clip.grade, shake=0.0))
    filmed = dataclasses.replace(fixed, shots=clip.shots)
    path = views(clip.shots, np.arange(clip.format.frames) * 0.08, clip.format.seconds)
    compared = 0
    for one, other in zip(render(fixed).truth["objects"], render(filmed).truth["objects"], strict=True):
        for before, after, (x, y, zoom) in zip(one["boxes"], other["boxes"], path, strict=True):
            expected = np.clip(0.5 + (np.array(before) - np.array([x, y, x, y])) * zoom, 0, 1)
            if (expected[2:] - expected[:2] > 0.05).all():
                np.testing.assert_allclose(after, expected, atol=2.5 / 96)
                compared += 1
    assert compared > 20
