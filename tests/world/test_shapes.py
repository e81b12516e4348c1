"""Distance shapes against closed forms and brute force; textures and colours against their laws."""

import colorsys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seehear.world.painting import colour, shapes, texture
from seehear.world.painting.background import far_wall
from seehear.world.streams import stream

X, Y = (v.astype(np.float32) for v in np.meshgrid(np.linspace(-1, 1, 41), np.linspace(-1, 1, 41)))


def brute_force(inside: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Distance of every grid point to the nearest outline point, negative inside."""
    away = np.hypot(X.ravel()[:, None] - points[None, :, 0], Y.ravel()[:, None] - points[None, :, 1]).min(axis=1)
    return np.where(inside.ravel(), -away, away).reshape(X.shape)


def outline_of_capsule(a: np.ndarray, b: np.ndarray, radius: float) -> np.ndarray:
    spine = a + (b - a) * np.linspace(0, 1, 201)[:, None]
    turn = np.linspace(0, 2 * np.pi, 100)
    ring = radius * np.column_stack([np.cos(turn), np.sin(turn)])
    points = (spine[:, None] + ring[None]).reshape(-1, 2)
    gaps = np.hypot(points[:, None, 0] - spine[None, ::4, 0], points[:, None, 1] - spine[None, ::4, 1]).min(axis=1)
    return points[gaps > radius - 1e-3]


def test_circle_and_ring_are_exact():
    distance = np.hypot(X - 0.2, Y + 0.1) - 0.5
    np.testing.assert_allclose(shapes.circle(X, Y, 0.2, -0.1, 0.5), distance, atol=1e-6)
    np.testing.assert_allclose(shapes.ring(X, Y, 0.2, -0.1, 0.5, 0.2), np.abs(distance) - 0.1, atol=1e-6)


def test_capsule_agrees_with_brute_force():
    a, b, radius = np.array([-0.5, -0.2]), np.array([0.6, 0.3]), 0.15
    found = shapes.capsule(X, Y, tuple(a), tuple(b), radius)
    np.testing.assert_allclose(found, brute_force(found < 0, outline_of_capsule(a, b, radius)), atol=0.01)


def test_box_agrees_with_brute_force():
    side = np.linspace(-1, 1, 800)[:, None]
    one = np.ones_like(side)
    edges = np.concatenate([np.hstack(p) for p in ((side, one), (side, -one), (one, side), (-one, side))])
    found = shapes.box(X, Y, 0.1, -0.1, 0.5, 0.3)
    inside = (np.abs(X - 0.1) < 0.5) & (np.abs(Y + 0.1) < 0.3)
    np.testing.assert_allclose(found, brute_force(inside, edges * [0.5, 0.3] + [0.1, -0.1]), atol=0.005)


@given(rx=st.floats(0.2, 0.9), ry=st.floats(0.2, 0.9))
def test_ellipse_is_right_on_the_outline(rx, ry):
    turn = np.linspace(0, 6, 50)
    on = shapes.ellipse(np.float32(rx * np.cos(turn)), np.float32(ry * np.sin(turn)), 0, 0, rx, ry)
    assert np.abs(on).max() < 1e-5
    assert shapes.ellipse(np.float32([0.0]), np.float32([0.01]), 0, 0, rx, ry)[0] < 0


def test_profile_of_constant_width_is_a_box():
    found = shapes.profile(X, Y, np.array([-0.5, 0.5]), np.array([0.3, 0.3]))
    inside = (np.abs(X) <= 0.3) & (np.abs(Y) <= 0.5)
    assert ((found <= 1e-6) == inside).all()


def test_smooth_curve_passes_its_knots():
    knots, values = [0.0, 0.3, 0.7, 1.0], [0.1, 0.4, 0.2, 0.5]
    y, half = shapes.smooth_curve(knots, values, 1001)
    np.testing.assert_allclose(np.interp(knots, y, half), values, atol=1e-3)


def test_turning_there_and_back_changes_nothing():
    u, v = shapes.rotate(*shapes.rotate(X, Y, 0.7, 0.2, 0.1), -0.7, 0.2, 0.1)
    np.testing.assert_allclose(u, X, atol=1e-6)
    np.testing.assert_allclose(v, Y, atol=1e-6)


def test_the_noise_tile_is_standard_and_periodic():
    tile = texture.tile()
    assert abs(tile.mean()) < 1e-5
    assert tile.std() == pytest.approx(1, abs=1e-4)
    jump, step = np.abs(tile[0] - tile[-1]).mean(), np.abs(np.diff(tile, axis=0)).mean()
    assert jump < 1.3 * step


@given(hue=st.floats(0, 0.999), saturation=st.floats(0, 1), value=st.floats(0, 1))
def test_rgb_agrees_with_the_standard_library(hue, saturation, value):
    np.testing.assert_allclose(
        colour.rgb((hue, saturation, value)), colorsys.hsv_to_rgb(hue, saturation, value), atol=1e-5
    )


def test_hue_is_uniform_for_every_role():
    palettes = np.array([colour.draw_palette(stream("palette", k)) for k in range(800)])
    for role in range(len(colour.ROLES)):
        counts = np.histogram(palettes[:, role, 0], 8, (0, 1))[0]
        assert ((counts - 100) ** 2 / 100).sum() < 24.3  # chi-square, 7 degrees of freedom, p = 0.001


def test_deep_rooms_have_small_far_walls():
    assert far_wall(0.0) == pytest.approx(0.85)
    assert far_wall(1.0) == pytest.approx(0.22)
