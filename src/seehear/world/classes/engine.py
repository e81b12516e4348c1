"""Engine: a finned cylinder on a bolted block with a spoked flywheel; jittered pulses through resonances.

The flywheel's speed is the pulse rate divided by a fixed ratio, and larger engines run slower.
"""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.painting.motion import active, still
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.pulses import running

WHEEL = (0.42, 0.32)
POSES_PER_SPOKE = 8
SHAKE, SHAKE_RATE = 0.012, 71.0  # local units, radians per second
PULSES_PER_TURN = 24.0  # the drawn wheel is geared down, so that its turning is not blurred by the frame rate


def _extent(_: Instance) -> Extent:
    return (-1.01, -0.96, 0.95, 0.99)


def _block(stage: Stage) -> Brush:
    instance = stage.body.instance
    brush = stage.sprite((-1.0, -1.0, 0.6, 0.95))
    x, y = brush.x, brush.y
    seed, gloss = stage.body.texture_seed, 0.2 + 0.5 * instance.gloss
    brush.paint(shapes.capsule(x, y, (-0.2, -0.75), (0.45, -0.75), 0.09), "second", bevel=0.09, gloss=gloss)
    brush.paint(shapes.ellipse(x, y, 0.48, -0.75, 0.05, 0.1), "dark", outline=0.0)
    iron = texture.speckle(x, y, seed, 70, 0.12)
    brush.paint(shapes.box(x, y, -0.3, 0.42, 0.62, 0.42, 0.06), "body", grain=iron, bevel=0.1, gloss=gloss)
    brush.paint(shapes.box(x, y, -0.4, 0.42, 0.34, 0.24, 0.04), "second", grain=iron, bevel=0.06, outline=0.8)
    for bx in (-0.82, -0.06):
        for by in (0.1, 0.74):
            _bolt(brush, bx, by, 0.062)
    for bx in (-0.66, -0.14):
        for by in (0.25, 0.59):
            _bolt(brush, bx, by, 0.042)
    brush.paint(shapes.box(x, y, -0.3, 0.88, 0.7, 0.05, 0.01), "dark", outline=0.0)
    _fins(brush, instance, gloss)
    return brush


def _bolt(brush: Brush, cx: float, cy: float, radius: float) -> None:
    brush.paint(shapes.circle(brush.x, brush.y, cx, cy, radius), "dark", outline=0.0)
    brush.paint(shapes.circle(brush.x, brush.y, cx, cy, radius * 0.62), "light", outline=0.3, gloss=0.5)


def _fins(brush: Brush, instance: Instance, gloss: float) -> None:
    """Cooling fins: dark gaps between bright plates round the cylinder."""
    x, y = brush.x, brush.y
    count = 5 + int(between(instance, 0, 0, 2.99))
    half = between(instance, 1, 0.44, 0.54)
    brush.paint(shapes.box(x, y, -0.35, -0.42, half * 0.72, 0.5, 0.03), "dark", outline=0.0)
    nx = np.clip((x + np.float32(0.35)) / np.float32(half), -0.95, 0.95)
    for level in np.linspace(-0.86, -0.06, count):
        fin = shapes.box(x, y, -0.35, float(level), half, 0.26 / count, 0.02)
        brush.paint(fin, "body", normal=(nx * np.float32(0.9), np.float32(-0.2)), gloss=gloss, outline=0.6)


def _spokes(instance: Instance) -> int:
    return 5 + int(between(instance, 3, 0, 2.99))


def _wheel(stage: Stage) -> Brush:
    instance = stage.body.instance
    cx, cy = WHEEL
    radius = between(instance, 2, 0.46, 0.54)
    brush = stage.sprite((cx - 0.58, cy - 0.58, cx + 0.58, cy + 0.58))
    x, y = brush.x, brush.y
    for angle in np.linspace(0, 2 * np.pi, _spokes(instance), endpoint=False):
        tip = (cx + radius * np.cos(angle), cy + radius * np.sin(angle))
        brush.paint(shapes.capsule(x, y, (cx, cy), tip, 0.045), "accent", bevel=0.05, outline=0.8)
    brush.paint(shapes.ring(x, y, cx, cy, radius - 0.03, 0.13), "accent", bevel=0.06, gloss=0.4, outline=0.85)
    brush.paint(shapes.ring(x, y, cx, cy, radius - 0.03, 0.03), "dark", outline=0.0, opacity=0.7)
    brush.paint(shapes.circle(x, y, cx, cy, 0.13), "second", bevel=0.08, gloss=0.4, outline=0.8)
    for angle in np.linspace(0, 2 * np.pi, _spokes(instance), endpoint=False):
        brush.paint(shapes.circle(x, y, cx + 0.08 * np.cos(angle), cy + 0.08 * np.sin(angle), 0.025), "dark",
                    outline=0.0)  # fmt: skip
    return brush


def _draw(stage: Stage) -> list[Part]:
    count = len(stage.times)
    level = active(stage.times, stage.events, 0.25)
    step = np.gradient(stage.times) if count > 1 else np.zeros(1)
    spokes = _spokes(stage.body.instance)
    turn = 2 * np.pi * np.cumsum(stage.body.pitch_hz / PULSES_PER_TURN * np.minimum(level * 2, 1) * step)
    turn = np.round(turn * spokes * POSES_PER_SPOKE / (2 * np.pi)) % POSES_PER_SPOKE
    turn *= 2 * np.pi / (spokes * POSES_PER_SPOKE)  # a wheel looks the same after one spoke's turn
    beat = np.sign(np.sin(stage.times * SHAKE_RATE))
    shake = np.column_stack([beat, -beat]) * SHAKE * (level > 0.5)[:, None]
    block = stage.move(_block(stage), Motion((0, 0), np.zeros(count), shake))
    wheel = stage.move(_wheel(stage), Motion(WHEEL, turn, still(count)))
    return [block, wheel]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    return running(source, events, samples, damping=0.06 * 0.35**source.instance.gloss)


KIND = Kind(
    name="engine",
    group="machine",
    synonyms=("engine", "motor", "one-cylinder machine"),
    sounds=("runs", "chugs", "rattles"),
    rhythm="continuous",
    pitch_range_hz=(11.0, 75.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
)
