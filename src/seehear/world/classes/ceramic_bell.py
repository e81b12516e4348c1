"""Ceramic bell: the outline of a bell in matt, speckled clay with poured glaze; the same partials, quickly damped."""

import numpy as np
from numpy import ndarray

from seehear.world.classes.bell import LIP, RATIOS, WEIGHTS, extent, outline, swinging
from seehear.world.kinds import Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Part, Stage
from seehear.world.scenes import Event, Source
from seehear.world.sounds.modal import struck


def _shell(stage: Stage) -> Brush:
    instance, seed = stage.body.instance, stage.body.texture_seed
    brush = stage.sprite((-0.92, -0.84, 0.92, 0.8))
    x, y = brush.x, brush.y
    brush.paint(shapes.ring(x, y, 0, -0.7, 0.09, 0.06), "second")
    knots, halves = outline(instance)
    flare = float(halves[-1])
    body = np.minimum(shapes.profile(x, y, knots, halves), shapes.ellipse(x, y, 0, LIP, flare, 0.1))
    nx = np.clip(x / np.maximum(shapes.half_width(y, knots, halves), 0.05), -0.95, 0.95)
    normal = (nx * np.float32(0.92), np.float32(-0.15))
    clay = texture.speckle(x, y, seed, 60, 0.09) * _turning_marks(y, between(instance, 4, 9, 13))
    brush.paint(body, "body", grain=clay, normal=normal, outline=0.4)
    _glaze(brush, stage, body, nx)
    _frieze(brush, stage, body, nx)
    brush.paint(shapes.ellipse(x, y, 0, LIP + 0.015, flare * 0.8, 0.05), "dark", outline=0.0)
    return brush


def _turning_marks(y: ndarray, per_unit: float) -> ndarray:
    """The rings that the potter's fingers leave."""
    return 1 + np.float32(0.07) * np.sin(y * np.float32(2 * np.pi * per_unit))


def _glaze(brush: Brush, stage: Stage, body: ndarray, nx: ndarray) -> None:
    """Glaze poured over the shoulder, running down in drops; its sheen is all the shine a ceramic bell has."""
    instance = stage.body.instance
    around = np.arcsin(nx) * np.float32(between(instance, 5, 1.6, 2.4))
    phase = np.float32((stage.body.texture_seed & 63) / 10)
    runs = 1 - 2 * np.abs(np.sin(around + phase)) + np.float32(0.5) * np.sin(around * 0.7 + 2 * phase)
    edge = np.float32(between(instance, 6, -0.2, 0.0)) + np.float32(0.11) * runs
    poured = np.maximum(brush.y - edge, body)
    grain = texture.speckle(brush.x, brush.y, stage.body.texture_seed + 31, 24, 0.07)
    normal = (nx * np.float32(0.92), np.float32(-0.15))
    brush.paint(poured, "second", grain=grain, normal=normal, gloss=0.12 * instance.gloss, outline=0.6)


def _frieze(brush: Brush, stage: Stage, body: ndarray, nx: ndarray) -> None:
    """A hand-painted band of dots between two uneven lines."""
    y = brush.y
    curve = np.float32(0.36) + np.float32(0.05) * (1 - nx * nx)
    uneven = np.float32(0.012) * texture.noise(brush.x, y, 8, 8, stage.body.texture_seed)
    for shift in (-0.12, 0.14):
        line = np.abs(y - curve - np.float32(shift) - uneven) - np.float32(0.026)
        brush.paint(np.maximum(line, body), "light", normal=(nx * np.float32(0.9), 0.0), outline=0.0)
    around = np.arcsin(nx) * np.float32(between(stage.body.instance, 7, 6.0, 9.0) / np.pi)
    beside = (around - np.floor(around) - np.float32(0.5)) * np.float32(0.2)
    dots = np.hypot(beside, y - curve - np.float32(0.01)) - np.float32(0.06)
    brush.paint(np.maximum(dots, body), "accent", normal=(nx * np.float32(0.9), 0.0), outline=0.0)


def _draw(stage: Stage) -> list[Part]:
    return swinging(stage, _shell(stage))


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    loss = 0.08 * 0.6**source.instance.gloss
    contact = between(source.instance, 3, 0.0012, 0.0005)
    return struck(source, events, samples, RATIOS, WEIGHTS, loss=loss, contact_seconds=contact, click=0.06)


KIND = Kind(
    name="ceramic bell",
    group="struck",
    synonyms=("ceramic bell", "clay bell", "earthenware bell"),
    sounds=("clunks", "rings dully", "chinks"),
    rhythm="impacts",
    pitch_range_hz=(190.0, 1520.0),
    extent=extent,
    draw=_draw,
    voice=_voice,
)
