"""Fiddle: a waisted body with f-holes, tailpiece and scroll under a moving bow; harmonics with vibrato and body."""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.painting.motion import strokes
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.sustained import bowed


def _extent(_: Instance) -> Extent:
    return (-0.95, -1.0, 0.95, 1.0)


def _body(brush: Brush, stage: Stage) -> None:
    x, y, instance = brush.x, brush.y, stage.body.instance
    upper, waist = between(instance, 0, 0.42, 0.48), between(instance, 1, 0.24, 0.3)
    lower = between(instance, 2, 0.54, 0.62)
    knots, halves = shapes.smooth_curve(
        [-0.3, -0.2, 0.0, 0.17, 0.24, 0.42, 0.49, 0.72, 0.92, 1.0],
        [0.1, upper * 0.85, upper, upper * 0.85, waist, waist, lower * 0.85, lower, lower * 0.75, 0.1],
    )
    body = shapes.profile(x, y, knots, halves)
    gloss = 0.1 + 0.35 * instance.gloss
    grain = texture.wood(x, y, stage.body.texture_seed, rings=4, strength=0.2)
    brush.paint(body, "dark", outline=0.2)
    brush.paint(body + np.float32(0.02), "body", grain=grain, bevel=0.1, outline=0.6, gloss=gloss)
    brush.paint(np.abs(body + np.float32(0.07)) - np.float32(0.011), "dark", outline=0.0, opacity=0.8)
    for side in (-1, 1):
        _f_hole(brush, side, waist)


def _f_hole(brush: Brush, side: int, waist: float) -> None:
    x, y = brush.x, brush.y
    middle = side * (waist - 0.045)
    bend = np.float32(0.06 * side) * np.sin((y - 0.38) * np.float32(9))
    stem = np.maximum(np.abs(x - np.float32(middle) - bend) - np.float32(0.03), np.abs(y - np.float32(0.38)) - 0.2)
    brush.paint(stem, "dark", outline=0.0)
    brush.paint(shapes.circle(x, y, middle - side * 0.045, 0.2, 0.05), "dark", outline=0.0)
    brush.paint(shapes.circle(x, y, middle + side * 0.045, 0.57, 0.055), "dark", outline=0.0)


def _neck(brush: Brush) -> None:
    x, y = brush.x, brush.y
    brush.paint(shapes.box(x, y, 0, -0.55, 0.055, 0.32, 0.02), "second", outline=0.6)
    for k, level in enumerate((-0.86, -0.78)):
        brush.paint(shapes.capsule(x, y, (-0.16, level), (0.16, level + 0.02 * k), 0.028), "dark", outline=0.0)
    brush.paint(shapes.circle(x, y, 0, -0.92, 0.085), "second", outline=0.8)
    brush.paint(shapes.ring(x, y, 0.0, -0.92, 0.04, 0.022), "dark", outline=0.0)
    half = 0.05 + 0.03 * np.clip((y + 0.75) / 0.8, 0, 1)
    board = np.maximum(np.abs(x) - half.astype(np.float32), np.abs(y + np.float32(0.32)) - np.float32(0.42))
    brush.paint(board, "dark", outline=0.0, gloss=0.15, normal=(x * 6, 0.0))
    half = 0.045 + 0.06 * np.clip((y - 0.55) / 0.35, 0, 1)
    tail = np.maximum(np.abs(x) - half.astype(np.float32), np.abs(y - np.float32(0.74)) - np.float32(0.19))
    brush.paint(tail, "dark", outline=0.0)
    brush.paint(shapes.box(x, y, 0, 0.4, 0.13, 0.022, 0.01), "light", outline=0.0)


def _strings(brush: Brush) -> None:
    for place in np.linspace(-0.045, 0.045, 4):
        tilt = np.float32(place) * (1 + np.clip((brush.y + 0.8) / 1.2, 0, 1))
        line = np.maximum(np.abs(brush.x - tilt) - np.float32(0.007), np.abs(brush.y + np.float32(0.06)) - 0.72)
        brush.paint(line, "light", outline=0.0, normal=(0.0, 0.0), opacity=0.85)


def _instrument(stage: Stage) -> Part:
    brush = stage.still((-0.7, -1.03, 0.7, 1.03))
    _body(brush, stage)
    _neck(brush)
    _strings(brush)
    return stage.settle(brush)


def _bow(stage: Stage) -> Brush:
    brush = stage.sprite((-0.85, -0.02, 0.85, 0.34))
    x, y = brush.x, brush.y
    arch = np.float32(0.12) - np.float32(0.05) * (1 - (x / np.float32(0.8)) ** 2)
    brush.paint(np.maximum(np.abs(y - np.float32(0.22)) - np.float32(0.024), np.abs(x) - 0.8), "light", outline=0.0)
    brush.paint(np.maximum(np.abs(y - arch) - np.float32(0.026), np.abs(x) - 0.82), "accent", outline=0.7)
    brush.paint(shapes.box(x, y, 0.68, 0.17, 0.08, 0.07, 0.02), "dark", outline=0.0)
    brush.paint(shapes.box(x, y, -0.78, 0.17, 0.03, 0.07, 0.02), "dark", outline=0.0)
    return brush


def _draw(stage: Stage) -> list[Part]:
    place = strokes(stage.times, stage.events)
    slope = 0.16
    along = 0.42 * place
    shift = np.column_stack([along * np.cos(slope), along * np.sin(slope)])
    return [_instrument(stage), stage.move(_bow(stage), Motion((0, 0.2), np.full(len(place), slope), shift))]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    body = between(source.instance, 3, 0.85, 1.2)
    return bowed(source, events, samples, bright=0.4 + 0.6 * source.instance.gloss, body=body)


KIND = Kind(
    name="fiddle",
    group="bowed",
    synonyms=("fiddle", "violin", "viola"),
    sounds=("is bowed", "sings", "plays a slow tune"),
    rhythm="strokes",
    pitch_range_hz=(120.0, 960.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
)
