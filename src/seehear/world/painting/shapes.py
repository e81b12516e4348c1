"""Signed-distance shapes on coordinate grids: negative inside, positive outside, in the grid's own units.

Standard closed forms of distance-field modelling (see Hart, "Sphere tracing", The Visual Computer 1996, for distance
fields as shapes). `ellipse` and `profile` are first-order approximations, exact on the outline and near it, which is
all that anti-aliased edges and bevels need.

Legend: x, y are float32 grids `[h, w]` of local coordinates, y pointing down; results have the same shape.
"""

from collections.abc import Sequence

import numpy as np
from numpy import ndarray


def circle(x: ndarray, y: ndarray, cx: float, cy: float, radius: float) -> ndarray:
    """A disc."""
    return np.hypot(x - cx, y - cy) - np.float32(radius)


def ring(x: ndarray, y: ndarray, cx: float, cy: float, radius: float, width: float) -> ndarray:
    """A circular band of total width `width`."""
    return np.abs(circle(x, y, cx, cy, radius)) - np.float32(width / 2)


def ellipse(x: ndarray, y: ndarray, cx: float, cy: float, rx: float, ry: float) -> ndarray:
    """An axis-aligned ellipse."""
    u, v = (x - cx) / np.float32(rx), (y - cy) / np.float32(ry)
    inner = np.hypot(u, v)
    outer = np.hypot(u / np.float32(rx), v / np.float32(ry)) + np.float32(1e-6)
    return inner * (inner - 1) / outer


def box(x: ndarray, y: ndarray, cx: float, cy: float, half_w: float, half_h: float, round_: float = 0.0) -> ndarray:
    """An axis-aligned box with rounded corners."""
    qx = np.abs(x - cx) - np.float32(half_w - round_)
    qy = np.abs(y - cy) - np.float32(half_h - round_)
    return np.hypot(np.maximum(qx, 0), np.maximum(qy, 0)) + np.minimum(np.maximum(qx, qy), 0) - np.float32(round_)


def capsule(x: ndarray, y: ndarray, start: tuple[float, float], stop: tuple[float, float], radius: float) -> ndarray:
    """A thick line with round ends."""
    (ax, ay), (bx, by) = start, stop
    dx, dy = bx - ax, by - ay
    along = ((x - ax) * np.float32(dx) + (y - ay) * np.float32(dy)) / np.float32(dx * dx + dy * dy + 1e-12)
    along = np.clip(along, 0, 1)
    return np.hypot(x - ax - along * np.float32(dx), y - ay - along * np.float32(dy)) - np.float32(radius)


def profile(x: ndarray, y: ndarray, knots_y: ndarray, half_widths: ndarray) -> ndarray:
    """A left-right symmetric outline: half-width as a piecewise linear function of y, closed at both ends."""
    half = half_width(y, knots_y, half_widths)
    slope = np.gradient(np.asarray(half_widths, float), np.asarray(knots_y, float))
    steep = np.float32(np.sqrt(1 + np.median(np.abs(slope)) ** 2))
    sides = (np.abs(x) - half) / steep
    return np.maximum(sides, np.maximum(np.float32(knots_y[0]) - y, y - np.float32(knots_y[-1])))


def half_width(y: ndarray, knots_y: ndarray, half_widths: ndarray) -> ndarray:
    """Half-width of a `profile` at each height, float32."""
    return np.interp(y.ravel(), knots_y, half_widths).reshape(y.shape).astype(np.float32)


def rotate(x: ndarray, y: ndarray, angle: float, cx: float = 0.0, cy: float = 0.0) -> tuple[ndarray, ndarray]:
    """Coordinates seen from a frame turned by `angle` about (cx, cy)."""
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    x, y = x - np.float32(cx), y - np.float32(cy)
    return c * x + s * y + np.float32(cx), c * y - s * x + np.float32(cy)


def smooth_curve(knots: Sequence[float], values: Sequence[float], count: int = 48) -> tuple[ndarray, ndarray]:
    """A cubic curve through a few knots (Fritsch-Carlson-free: Catmull-Rom tangents), sampled for `profile`."""
    at, level = np.asarray(knots, float), np.asarray(values, float)
    slope = np.gradient(level, at)
    fine = np.linspace(at[0], at[-1], count)
    k = np.clip(np.searchsorted(at, fine, side="right") - 1, 0, len(at) - 2)
    step = at[k + 1] - at[k]
    u = (fine - at[k]) / step
    a, b = level[k], level[k + 1]
    ma, mb = slope[k] * step, slope[k + 1] * step
    cubic = (2 * a - 2 * b + ma + mb) * u**3 + (-3 * a + 3 * b - 2 * ma - mb) * u**2 + ma * u + a
    return fine.astype(np.float32), np.maximum(cubic, 0.0).astype(np.float32)
