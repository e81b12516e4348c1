"""Dog: a furry head with ears, muzzle, jaw with teeth and tongue, collar with a tag; barks with falling formants."""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.painting.motion import still
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.barks import barking

SKULL, NECK = (-0.22, -0.3), (-0.3, 0.35)
HINGE = (-0.02, 0.06)
OPEN_SECONDS, CLOSE_SECONDS, POSES = 0.05, 0.3, 12
JAW_TURN, HEAD_TURN, EAR_TURN = 0.55, -0.16, 0.3


def _pricked(instance: Instance) -> bool:
    """Whether the ears stand up; they hang otherwise."""
    return instance.code[3] > 0.5


def _extent(instance: Instance) -> Extent:
    return (-0.95, -1.12 if _pricked(instance) else -0.74, 0.95, 1.02)


def _fur(x: ndarray, y: ndarray, seed: int) -> ndarray:
    """Short strokes of hair along y."""
    return 1 + np.float32(0.14) * texture.noise(x, y, 75, 16, seed)


def _shaggy(distance: ndarray, x: ndarray, y: ndarray, seed: int) -> ndarray:
    """The outline of a pelt: a distance roughened by tufts."""
    return distance + np.float32(0.016) * texture.noise(x, y, 34, 34, seed)


def _neck(stage: Stage) -> Part:
    """Neck and chest below the head, with the collar and its tag."""
    brush = stage.still((-0.98, -0.3, 0.6, 1.0))
    x, y, seed = brush.x, brush.y, stage.body.texture_seed
    half = 0.42 + 0.3 * np.clip(y - 0.3, 0, 1) ** 1.5
    chest = np.maximum(np.abs(x - np.float32(NECK[0])) - half.astype(np.float32), np.maximum(-0.25 - y, y - 0.97))
    chest = _shaggy(chest, x, y, seed + 2)
    brush.paint(chest, "body", grain=_fur(x, y, seed), bevel=0.3, outline=0.6)
    bib = np.maximum(shapes.ellipse(x, y, NECK[0] + 0.25, 0.95, 0.28, 0.36), chest + np.float32(0.04))
    brush.paint(bib, "light", grain=_fur(x, y, seed + 5), outline=0.0)
    nx = np.clip((x - np.float32(NECK[0])) / np.float32(0.5), -1, 1)
    band_y = np.float32(0.42) + np.float32(0.12) * (1 - nx * nx)
    band = np.maximum(np.abs(y - band_y) - np.float32(0.075), np.abs(x - np.float32(NECK[0])) - np.float32(0.46))
    brush.paint(band, "accent", normal=(nx * np.float32(0.8), 0.0), outline=0.9, gloss=0.2)
    for stud in np.linspace(-0.34, 0.34, 4):
        level = 0.42 + 0.12 * (1 - (stud / 0.5) ** 2)
        brush.paint(shapes.circle(x, y, NECK[0] + stud, level, 0.034), "light", outline=0.3)
    brush.paint(shapes.circle(x, y, NECK[0] + 0.08, 0.71, 0.095), "light", bevel=0.06, outline=0.9, gloss=0.4)
    return stage.settle(brush)


def _head(stage: Stage) -> Brush:
    instance, seed = stage.body.instance, stage.body.texture_seed
    brush = stage.sprite((-0.8, -0.98, 1.0, 0.5))
    x, y = brush.x, brush.y
    length, thick = between(instance, 0, 0.72, 0.86), between(instance, 1, 0.2, 0.25)
    skull = shapes.ellipse(x, y, *SKULL, 0.47, 0.44)
    cheek = shapes.ellipse(x, y, -0.2, 0.0, 0.36, 0.32)
    muzzle = shapes.capsule(x, y, (0.0, -0.1), (length - 0.16, -0.06), thick * 0.85)
    head = _shaggy(np.minimum(np.minimum(skull, cheek), muzzle), x, y, seed + 2)
    brush.paint(head, "body", grain=_fur(x, y, seed), bevel=0.22, outline=0.7)
    snout = shapes.capsule(x, y, (0.24, -0.08), (length - 0.16, -0.05), thick * 0.8)
    brush.paint(snout, "light", grain=_fur(y, x, seed + 7), bevel=0.16, outline=0.35)
    lip = shapes.capsule(x, y, (0.08, 0.1), (length - 0.1, 0.115), 0.035)
    brush.paint(lip, "dark", outline=0.0)
    if instance.code[2] > 0.5:
        patch = np.maximum(shapes.ellipse(x, y, 0.0, -0.42, 0.24, 0.24), head + np.float32(0.03))
        brush.paint(patch, "second", grain=_fur(x, y, seed), outline=0.0)
    brush.paint(shapes.ellipse(x, y, length - 0.06, -0.16, 0.125, 0.1), "dark", bevel=0.08, gloss=0.9, outline=0.0)
    _eye(brush)
    for k in range(3):
        brush.paint(shapes.circle(x, y, length - 0.26 - 0.075 * k, 0.02 - 0.03 * (k % 2), 0.018), "dark", outline=0.0)
    return brush


def _eye(brush: Brush) -> None:
    x, y = brush.x, brush.y
    brush.paint(shapes.ellipse(x, y, 0.04, -0.38, 0.12, 0.105), "light", outline=0.8)
    brush.paint(shapes.circle(x, y, 0.07, -0.375, 0.08), "dark", outline=0.0)
    brush.paint(shapes.circle(x, y, 0.1, -0.405, 0.028), "light", outline=0.0)
    brush.paint(shapes.capsule(x, y, (-0.08, -0.54), (0.12, -0.55), 0.03), "dark", outline=0.0)


def _jaw(stage: Stage) -> Brush:
    """Lower jaw with tongue and teeth; the mouth's inside fills the gap above it."""
    instance = stage.body.instance
    length = between(instance, 0, 0.72, 0.86) - 0.16
    brush = stage.sprite((-0.25, -0.22, 0.9, 0.4))
    x, y = brush.x, brush.y
    brush.paint(shapes.capsule(x, y, (0.0, -0.02), (length - 0.06, 0.02), 0.15), "dark", outline=0.0)
    brush.paint(shapes.capsule(x, y, (0.05, 0.03), (length - 0.06, 0.06), 0.085), "accent", bevel=0.08, outline=0.5)
    grain = _fur(y, x, stage.body.texture_seed + 9)
    brush.paint(shapes.capsule(x, y, (0.0, 0.15), (length - 0.02, 0.15), 0.085), "body", grain=grain, outline=0.7)
    for k in range(4):
        u, v = x - np.float32(length - 0.04 - 0.11 * k), y - np.float32(0.08)
        tooth = np.maximum(np.abs(u) - np.float32(0.045) * (1 + v / np.float32(0.1)), np.maximum(-0.1 - v, v))
        brush.paint(tooth.astype(np.float32), "light", outline=0.3)
    return brush


def _ear(stage: Stage) -> tuple[Brush, tuple[float, float]]:
    """Two pointed ears that stand up behind the head, or a soft one that hangs before it; and where they turn."""
    instance, seed = stage.body.instance, stage.body.texture_seed
    if _pricked(instance):
        brush = stage.sprite((-0.85, -1.2, 0.3, -0.4))
        for root, lean in ((-0.04, 0.1), (-0.42, -0.12)):
            _pointed(brush, root, lean, between(instance, 4, 0.2, 0.25), seed)
        return brush, (-0.25, -0.6)
    brush = stage.sprite((-0.85, -0.8, -0.1, 0.35))
    u, v = shapes.rotate(brush.x, brush.y, 0.22, -0.48, -0.2)
    ear = shapes.ellipse(u, v, -0.48, -0.2, between(instance, 4, 0.2, 0.26), 0.5)
    brush.paint(_shaggy(ear, u, v, seed + 3), "second", grain=_fur(u, v, seed + 4), bevel=0.16, outline=0.9)
    return brush, (-0.4, -0.62)


def _pointed(brush: Brush, root: float, lean: float, half: float, seed: int) -> None:
    """One standing ear with its dark inside; the head hides its foot."""
    x, y = brush.x, brush.y
    height = np.clip((y + np.float32(1.15)) / np.float32(0.6), 0, 1)
    axis = np.float32(root) + np.float32(lean) * (1 - height)
    side = np.abs(x - axis) - np.float32(half) * np.sin(height * np.float32(np.pi * 0.6))
    ear = np.maximum(side * np.float32(0.85), y + np.float32(0.45)).astype(np.float32)
    brush.paint(ear, "second", grain=_fur(x, y, seed), bevel=0.1, outline=0.9)
    inside = np.maximum(side + np.float32(0.09), y + np.float32(0.45)).astype(np.float32)
    brush.paint(inside, "dark", outline=0.0, opacity=0.85)


def _open(times: ndarray, events: tuple[Event, ...]) -> ndarray:
    """How far the mouth is open `[T]`: it flies open at each bark and falls shut more slowly."""
    level = np.zeros(len(times))
    for event in events:
        since = times - event.start_seconds
        rise, fall = since / OPEN_SECONDS, 1 - (since - OPEN_SECONDS) / CLOSE_SECONDS
        level = np.maximum(level, np.clip(np.minimum(rise, fall), 0, 1) * (0.55 + 0.45 * event.strength))
    return level


def _draw(stage: Stage) -> list[Part]:
    count, opened = len(stage.times), _open(stage.times, stage.events)
    opened = np.round(opened * POSES) / POSES
    tilt = HEAD_TURN * opened
    ear, root = _ear(stage)
    c, s = np.cos(tilt), np.sin(tilt)
    hx, hy = HINGE[0] - NECK[0], HINGE[1] - NECK[1]
    ride = np.column_stack([c * hx - s * hy - hx, s * hx + c * hy - hy])  # the hinge goes with the head
    rx, ry = root[0] - NECK[0], root[1] - NECK[1]
    follow = np.column_stack([c * rx - s * ry - rx, s * rx + c * ry - ry])
    jaw = stage.move(_jaw(stage), Motion(HINGE, tilt + JAW_TURN * opened, ride))
    head = stage.move(_head(stage), Motion(NECK, tilt, still(count)))
    if _pricked(stage.body.instance):
        return [_neck(stage), stage.move(ear, Motion(root, tilt, follow)), jaw, head]
    return [_neck(stage), jaw, head, stage.move(ear, Motion(root, tilt + EAR_TURN * opened, follow))]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    return barking(source, events, samples, tract=between(source.instance, 5, 0.85, 1.15))


KIND = Kind(
    name="dog",
    group="animal",
    synonyms=("dog", "hound", "barking dog"),
    sounds=("barks", "yaps", "woofs"),
    rhythm="impacts",
    pitch_range_hz=(110.0, 880.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
)
