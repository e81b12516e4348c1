"""Frog: wide mouth, bulging eyes, spotted skin, webbed feet on a lily pad; the throat sac swells with every croak."""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Part, Stage
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.croaks import call_seconds, croaking
from seehear.world.streams import stream

SWELL_SECONDS, SINK_SECONDS = 0.09, 0.16
SIZES = 7  # pictures of the throat sac, from flat to full
THROAT_Y = 0.16
PAD_Y = 0.74


def _extent(_: Instance) -> Extent:
    return (-0.97, -0.77, 0.97, 0.97)


def _pad(brush: Brush, stage: Stage) -> None:
    """A lily pad with a notch and veins."""
    x, y = brush.x, brush.y
    notch = between(stage.body.instance, 6, 0.3, 0.9)
    angle = np.arctan2((y - np.float32(PAD_Y)) * np.float32(4), x)
    gap = np.abs(angle - np.float32(notch)) * np.hypot(x, (y - np.float32(PAD_Y)) * 4) - np.float32(0.14)
    pad = np.maximum(shapes.ellipse(x, y, 0, PAD_Y, 0.95, 0.22), -gap * np.float32(0.4))
    grain = texture.speckle(x, y, stage.body.texture_seed + 3, 24, 0.12)
    brush.paint(pad, "accent", grain=grain, bevel=0.06, outline=0.8, gloss=0.15)
    for k in range(9):
        turn = notch + 0.35 + k * (2 * np.pi - 0.7) / 8
        tip = (0.85 * np.cos(turn), PAD_Y + 0.19 * np.sin(turn))
        vein = np.maximum(shapes.capsule(x, y, (0, PAD_Y), tip, 0.012), pad + np.float32(0.02))
        brush.paint(vein, "dark", outline=0.0, opacity=0.6)


def _legs(brush: Brush, stage: Stage) -> None:
    """Folded hind legs at the sides and straight front legs, all with webbed toes."""
    x, y, seed = brush.x, brush.y, stage.body.texture_seed
    skin = texture.speckle(x, y, seed, 40, 0.14)
    for side in (-1, 1):
        u, v = shapes.rotate(x, y, side * 0.5, side * 0.62, 0.42)
        brush.paint(shapes.ellipse(u, v, side * 0.62, 0.42, 0.21, 0.34), "body", grain=skin, bevel=0.2, outline=0.8)
        for k in range(2):
            u, v = shapes.rotate(x, y, side * 0.5, side * 0.66, 0.3)
            stripe = shapes.ellipse(u, v, side * 0.66, 0.28 + 0.17 * k, 0.13, 0.035)
            brush.paint(stripe, "dark", outline=0.0, opacity=0.8)
        for toe in (-0.12, 0.06, 0.24):
            tip = (side * (0.74 + toe * 0.8), 0.82 - 0.05 * abs(toe))
            brush.paint(shapes.capsule(x, y, (side * 0.62, 0.7), tip, 0.04), "body", bevel=0.04, outline=0.8)


def _arms(brush: Brush, stage: Stage) -> None:
    x, y = brush.x, brush.y
    skin = texture.speckle(x, y, stage.body.texture_seed, 40, 0.14)
    for side in (-1, 1):
        arm = shapes.capsule(x, y, (side * 0.36, 0.36), (side * 0.3, 0.76), 0.085)
        brush.paint(arm, "body", grain=skin, bevel=0.09, outline=0.9)
        for toe in (-0.15, -0.02, 0.11):
            tip = (side * 0.3 + toe, 0.88)
            brush.paint(shapes.capsule(x, y, (side * 0.3, 0.77), tip, 0.034), "body", bevel=0.04, outline=0.7)
            brush.paint(shapes.circle(x, y, *tip, 0.045), "body", bevel=0.04, outline=0.7)


def _torso(brush: Brush, stage: Stage) -> None:
    x, y, instance, seed = brush.x, brush.y, stage.body.instance, stage.body.texture_seed
    wide = between(instance, 0, 0.58, 0.68)
    skin = texture.speckle(x, y, seed, 40, 0.14)
    trunk = shapes.ellipse(x, y, 0, 0.3, 0.54, 0.46)
    brush.paint(trunk, "body", grain=skin, bevel=0.25, outline=0.8, gloss=0.25)
    brush.paint(shapes.ellipse(x, y, 0, 0.42, 0.36, 0.34), "light", grain=skin, outline=0.0)
    _arms(brush, stage)
    head = shapes.ellipse(x, y, 0, -0.2, wide, 0.36)
    for side in (-1, 1):
        head = np.minimum(head, shapes.circle(x, y, side * 0.36, -0.54, 0.23))
    gloss = 0.25 + 0.4 * instance.gloss
    brush.paint(head, "body", grain=skin, bevel=0.22, outline=0.8, gloss=gloss)
    _spots(brush, stage, head)
    chin = np.maximum(shapes.ellipse(x, y, 0, -0.16, wide * 0.97, 0.32), -_mouth_line(x, y, wide))
    brush.paint(chin, "light", grain=skin, bevel=0.2, outline=0.0)
    smile = np.maximum(np.abs(_mouth_line(x, y, wide)) - np.float32(0.026), np.abs(x) - np.float32(wide * 0.93))
    brush.paint(smile, "dark", outline=0.0)
    for side in (-1, 1):
        brush.paint(shapes.ellipse(x, y, side * 0.08, -0.3, 0.028, 0.018), "dark", outline=0.0)
        _eye(brush, side)


def _mouth_line(x: ndarray, y: ndarray, wide: float) -> ndarray:
    """Signed height above the wide, smiling mouth."""
    return y - np.float32(-0.06) + np.float32(0.13) * (x / np.float32(wide)) ** 2


def _spots(brush: Brush, stage: Stage, head: ndarray) -> None:
    rng = stream(stage.body.instance.seed, "spots")
    for _ in range(7):
        cx, cy = rng.uniform(-0.5, 0.5), rng.uniform(-0.46, -0.24)
        spot = shapes.ellipse(brush.x, brush.y, cx, cy, rng.uniform(0.04, 0.09), rng.uniform(0.03, 0.06))
        brush.paint(np.maximum(spot, head + np.float32(0.03)), "second", outline=0.0)


def _eye(brush: Brush, side: int) -> None:
    x, y, cx, cy = brush.x, brush.y, side * 0.36, -0.57
    brush.paint(shapes.circle(x, y, cx, cy, 0.165), "accent", bevel=0.1, gloss=0.5, outline=0.9)
    brush.paint(shapes.ellipse(x, y, cx, cy, 0.12, 0.062), "dark", outline=0.0)
    brush.paint(shapes.circle(x, y, cx + 0.06, cy - 0.07, 0.035), "light", outline=0.0)


def _frog(stage: Stage) -> Part:
    brush = stage.still((-1.0, -0.9, 1.0, 1.0))
    _pad(brush, stage)
    _legs(brush, stage)
    _torso(brush, stage)
    return stage.settle(brush)


def _sac(stage: Stage, shown: ndarray) -> Part:
    """The throat sac under the mouth, painted once per size that is shown."""
    levels, index = np.unique(shown, return_inverse=True)
    full = between(stage.body.instance, 1, 0.36, 0.42)
    pictures = []
    for level in levels:
        brush = stage.still((-0.6, -0.12, 0.6, 0.8))
        radius = 0.13 + (full - 0.13) * float(level)
        x, y, cy = brush.x, brush.y, THROAT_Y - 0.1 + radius * 0.8
        sac = shapes.ellipse(x, y, 0, cy, radius * 1.15, radius * 0.9)
        sac = np.maximum(sac, np.float32(0.02) - _mouth_line(x, y, 0.62))
        grain = texture.speckle(x, y, stage.body.texture_seed + 8, 30, 0.07)
        brush.paint(sac, "light", grain=grain, bevel=radius, gloss=0.5, outline=0.7)
        for k in (-1, 0, 1):  # folds, pulled flat as the sac fills
            fold = np.abs(shapes.ellipse(x, y, 0, cy, radius * (0.5 + 0.25 * k), radius * 0.8)) - np.float32(0.008)
            brush.paint(np.maximum(fold, sac + np.float32(0.02)), "dark", outline=0.0, opacity=0.45 * (1 - level))
        pictures.append(brush.rgba)
    return Part(brush.row, brush.column, np.stack(pictures), index.reshape(-1))


def _swelling(times: ndarray, events: tuple[Event, ...]) -> ndarray:
    """How full the sac is `[T]`, 0 to 1: it fills as a call starts and sinks after it."""
    level = np.zeros(len(times))
    for event in events:
        rise = (times - event.start_seconds) / SWELL_SECONDS
        fall = 1 + (event.start_seconds + call_seconds(event) - times) / SINK_SECONDS
        level = np.maximum(level, np.clip(np.minimum(rise, fall), 0, 1) * (0.6 + 0.4 * event.strength))
    return level


def _draw(stage: Stage) -> list[Part]:
    swelling = np.round(_swelling(stage.times, stage.events) * (SIZES - 1)) / (SIZES - 1)
    return [_frog(stage), _sac(stage, swelling)]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    return croaking(source, events, samples, pulses=between(source.instance, 2, 0.0, 1.0))


KIND = Kind(
    name="frog",
    group="animal",
    synonyms=("frog", "toad", "frog on a lily pad"),
    sounds=("croaks", "ribbits", "calls"),
    rhythm="strokes",
    pitch_range_hz=(150.0, 1200.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
)
