"""Lute: a pear body with rosette, bridge, strings, frets and pegs, plucked by a hand; Karplus-Strong strings."""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.painting.motion import lift
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.karplus import plucked

LEAN = 0.75  # radians from upright


def _extent(_: Instance) -> Extent:
    return (-0.75, -0.845, 0.83, 0.755)


def _body(brush: Brush, stage: Stage, x: ndarray, y: ndarray) -> None:
    instance = stage.body.instance
    wide = between(instance, 0, 0.4, 0.5)
    knots, halves = shapes.smooth_curve([-0.28, -0.15, 0.15, 0.5, 0.8, 0.93], [0.09, 0.16, 0.32, wide, wide * 0.8, 0.1])
    pear = shapes.profile(x, y, knots, halves)
    gloss = 0.5 * instance.gloss
    brush.paint(pear, "dark", outline=0.3)
    brush.paint(pear + np.float32(0.025), "light", outline=0.0)
    board = texture.wood(x, y, stage.body.texture_seed, rings=7, strength=0.16)
    brush.paint(pear + np.float32(0.055), "body", grain=board, bevel=0.12, outline=0.5, gloss=gloss)
    _rosette(brush, x, y, between(instance, 1, 0.13, 0.17))
    brush.paint(shapes.box(x, y, 0, 0.7, 0.2, 0.035, 0.02), "dark", outline=0.0)


def _rosette(brush: Brush, x: ndarray, y: ndarray, radius: float) -> None:
    centre = 0.36
    brush.paint(shapes.circle(x, y, 0, centre, radius + 0.055), "accent", outline=0.9)
    brush.paint(shapes.ring(x, y, 0, centre, radius + 0.025, 0.02), "light", outline=0.0)
    brush.paint(shapes.circle(x, y, 0, centre, radius), "dark", outline=0.0)
    angle = np.arctan2(y - np.float32(centre), x)
    distance = np.hypot(x, y - np.float32(centre))
    star = np.maximum(
        np.abs(distance - np.float32(radius * 0.6)) - np.float32(0.02), -np.cos(angle * 6) * np.float32(0.05)
    )
    brush.paint(star, "accent", outline=0.0)


def _neck(brush: Brush, stage: Stage, x: ndarray, y: ndarray) -> None:
    top = -1.02
    brush.paint(shapes.box(x, y, 0, -0.42, 0.075, 0.6, 0.01), "second", outline=0.8)
    for fret in range(7):
        level = 0.12 - 1.05 * (1 - 2 ** (-(fret + 1) / 6.0)) * 1.2
        brush.paint(shapes.box(x, y, 0, level, 0.08, 0.013), "light", outline=0.0)
    brush.paint(shapes.box(x, y, 0, top + 0.02, 0.1, 0.15, 0.03), "dark", outline=0.3)
    for k in range(3):
        for side in (-1, 1):
            level = top - 0.08 + 0.1 * k
            brush.paint(shapes.capsule(x, y, (side * 0.1, level), (side * 0.19, level), 0.025), "accent", outline=0.4)


def _strings(brush: Brush, x: ndarray, y: ndarray, count: int) -> None:
    for place in np.linspace(-0.05, 0.05, count):
        tilt = place * (1 + 0.9 * np.clip((y + 1) / 1.7, 0, 1))
        string = np.maximum(np.abs(x - tilt.astype(np.float32)) - np.float32(0.009), np.maximum(-1.0 - y, y - 0.7))
        brush.paint(string, "light", outline=0.0, normal=(0.0, 0.0), opacity=0.9)


def _instrument(stage: Stage) -> Part:
    brush = stage.still((-0.95, -0.95, 0.95, 0.95))
    x, y = shapes.rotate(brush.x, brush.y, LEAN)
    _body(brush, stage, x, y)
    _neck(brush, stage, x, y)
    _strings(brush, x, y, 3 + int(between(stage.body.instance, 2, 0, 2.99)))
    return stage.settle(brush)


def _hand(stage: Stage) -> Brush:
    brush = stage.sprite((-0.2, 0.1, 0.75, 0.8))
    x, y = brush.x, brush.y
    for k in range(3):
        tip = (0.02 + 0.06 * k, 0.3 + 0.09 * k)
        brush.paint(shapes.capsule(x, y, (0.32, 0.42 + 0.05 * k), tip, 0.05), "second", bevel=0.06, outline=0.7)
    brush.paint(shapes.ellipse(x, y, 0.42, 0.5, 0.2, 0.15), "second", bevel=0.12, outline=0.7)
    brush.paint(shapes.capsule(x, y, (0.5, 0.56), (0.66, 0.68), 0.09), "second", bevel=0.1, outline=0.6)
    return brush


def _draw(stage: Stage) -> list[Part]:
    away = lift(stage.times, stage.events)
    shift = np.column_stack([-0.3 + 0.1 * away, -0.05 + 0.08 * away])
    hand = stage.move(_hand(stage), Motion((0.5, 0.5), 0.15 * away, shift))
    return [_instrument(stage), hand]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    ring = 0.5 + 1.2 * source.instance.gloss
    pick = between(source.instance, 3, 0.12, 0.35)
    return plucked(source, events, samples, ring_seconds=ring, pick_place=pick)


KIND = Kind(
    name="lute",
    group="plucked",
    synonyms=("lute", "mandolin", "round-backed guitar"),
    sounds=("is plucked", "twangs", "plays a few notes"),
    rhythm="impacts",
    pitch_range_hz=(85.0, 680.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
)
