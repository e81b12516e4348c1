"""Shaker: an egg-shaped rattle with painted bands on a short handle, in a fist; beads hiss at every reversal."""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.painting.motion import still, strokes
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.beads import rattling

ELBOW, FIST = (0.0, 1.5), (0.0, 0.42)
SWING, POSES = 0.34, 10  # radians to either side, and poses drawn on each
SLOWEST_BEADS, FASTEST_BEADS = 300.0, 3_000.0  # collisions per second


def _extent(_: Instance) -> Extent:
    return (-0.98, -0.92, 0.98, 1.12)


def _egg(brush: Brush, stage: Stage) -> None:
    """Shell with bands, a zigzag and dots; dots are many where beads are many."""
    x, y, instance = brush.x, brush.y, stage.body.instance
    wide = between(instance, 0, 0.36, 0.44)
    knots, halves = shapes.smooth_curve(
        [-0.95, -0.9, -0.75, -0.5, -0.25, -0.02, 0.1, 0.14],
        [0.04, wide * 0.45, wide * 0.82, wide, wide * 0.95, wide * 0.6, 0.14, 0.04],
    )
    egg = shapes.profile(x, y, knots, halves)
    nx = np.clip(x / np.maximum(shapes.half_width(y, knots, halves), 0.05), -0.95, 0.95)
    normal = (nx * np.float32(0.9), np.clip((y + np.float32(0.42)) * np.float32(1.1), -0.4, 0.4))
    gloss = 0.2 + 0.6 * instance.gloss
    grain = texture.speckle(x, y, stage.body.texture_seed, 60, 0.07)
    brush.paint(egg, "body", grain=grain, normal=normal, gloss=gloss, outline=0.8)
    bulge = np.float32(0.06) * (1 - nx * nx)
    inside = egg + np.float32(0.025)
    for level, thick, role in ((-0.68, 0.075, "accent"), (-0.05, 0.06, "second")):
        band = np.maximum(np.abs(y - np.float32(level) - bulge) - np.float32(thick), inside)
        brush.paint(band, role, normal=normal, gloss=gloss, outline=0.4)
    around = np.arcsin(nx) * np.float32((4 + int(between(instance, 1, 0, 2.99))) / np.pi)
    zigzag = np.abs(around - np.floor(around) - np.float32(0.5)) * 2
    line = np.abs(y - np.float32(-0.45) - bulge - np.float32(0.2) * zigzag) * np.float32(0.6) - np.float32(0.028)
    brush.paint(np.maximum(line, inside), "dark", outline=0.0)
    _dots(brush, stage, inside, bulge, nx)


def _dots(brush: Brush, stage: Stage, inside: ndarray, bulge: ndarray, nx: ndarray) -> None:
    count = 3 + int(5.99 * _beads(stage.body.instance))
    around = np.arcsin(nx) * np.float32(count / np.pi)
    u = (around - np.floor(around) - np.float32(0.5)) * np.float32(1.25 / count)
    dot = np.hypot(u, brush.y - np.float32(-0.68) - bulge) - np.float32(0.042)
    brush.paint(np.maximum(dot, inside), "light", outline=0.0)


def _beads(instance: Instance) -> float:
    return between(instance, 2, 0.0, 1.0)


def _arm(brush: Brush, stage: Stage) -> None:
    """Sleeve, wrist and the back of a fist, with the handle's ends above and below."""
    x, y, seed = brush.x, brush.y, stage.body.texture_seed
    skin = texture.speckle(x, y, seed + 4, 30, 0.06)
    grain = texture.wood(x * 2, y, seed + 2)
    brush.paint(shapes.box(x, y, 0, 0.36, 0.075, 0.4, 0.03), "second", grain=grain, bevel=0.07, outline=0.9)
    brush.paint(shapes.circle(x, y, 0, 0.76, 0.1), "second", bevel=0.08, outline=0.9)
    brush.paint(shapes.capsule(x, y, (0.1, 0.48), (0.2, 0.85), 0.14), "light", grain=skin, outline=0.8)
    u, v = shapes.rotate(x, y, -0.22, 0.2, 0.85)
    folds = texture.speckle(x, y, seed + 6, 50, 0.12)
    brush.paint(shapes.box(u, v, 0.2, 0.88, 0.2, 0.16, 0.03), "accent", grain=folds, bevel=0.12, outline=0.9)
    brush.paint(shapes.box(u, v, 0.2, 0.73, 0.22, 0.055, 0.03), "dark", bevel=0.04, outline=0.0)


def _fist(brush: Brush, stage: Stage) -> None:
    """Four fingers round the handle, one over the other, and a thumb across."""
    x, y = brush.x, brush.y
    skin = texture.speckle(x, y, stage.body.texture_seed + 4, 30, 0.06)
    brush.paint(shapes.box(x, y, 0.1, FIST[1], 0.17, 0.26, 0.12), "light", grain=skin, bevel=0.1, outline=0.9)
    for k in range(4):
        level = FIST[1] - 0.19 + 0.125 * k
        reach = (0.19, 0.21, 0.2, 0.15)[k]
        finger = shapes.capsule(x, y, (0.12, level + 0.02), (-reach + 0.04, level), 0.068)
        brush.paint(finger, "light", grain=skin, bevel=0.06, outline=1.0)
    thumb = shapes.capsule(x, y, (0.2, FIST[1] - 0.06), (0.02, FIST[1] - 0.3), 0.066)
    brush.paint(thumb, "light", grain=skin, bevel=0.06, outline=1.0)


def _rattle(stage: Stage) -> Brush:
    brush = stage.sprite((-0.47, -0.98, 0.52, 1.08))
    _arm(brush, stage)
    _egg(brush, stage)
    _fist(brush, stage)
    return brush


def _draw(stage: Stage) -> list[Part]:
    place = np.sin(strokes(stage.times, stage.events) * np.pi / 2)  # turns round softly, at each event's start
    place = np.round(place * POSES) / POSES
    return [stage.move(_rattle(stage), Motion(ELBOW, SWING * place, still(len(place))))]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    instance = source.instance
    beads = SLOWEST_BEADS * (FASTEST_BEADS / SLOWEST_BEADS) ** _beads(instance)
    return rattling(source, events, samples, beads=beads, settle=between(instance, 3, 0.03, 0.07))


KIND = Kind(
    name="shaker",
    group="shaken",
    synonyms=("shaker", "maraca", "egg shaker"),
    sounds=("is shaken", "rattles", "hisses in time"),
    rhythm="strokes",
    pitch_range_hz=(1_100.0, 6_600.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
)
