"""Bird: feathered body, striped tail, eye, opening beak, on a branch with leaves; frequency-modulated chirps."""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.painting.motion import active, still
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.chirps import chirping

HEAD = (0.42, -0.45)


def _extent(_: Instance) -> Extent:
    return (-0.98, -0.74, 0.98, 1.0)


def _branch(brush: Brush, stage: Stage) -> None:
    x, y = brush.x, brush.y
    bark = texture.wood(y, x, stage.body.texture_seed + 3, rings=8, strength=0.3)
    brush.paint(shapes.capsule(x, y, (-0.95, 0.78), (0.95, 0.7), 0.075), "accent", grain=bark, bevel=0.08, outline=0.8)
    for cx, cy, lean in ((-0.72, 0.6, 0.5), (0.78, 0.52, -0.6), (0.55, 0.85, 0.4)):
        u, v = shapes.rotate(x, y, lean, cx, cy)
        brush.paint(shapes.ellipse(u, v, cx, cy, 0.17, 0.075), "accent", bevel=0.08, outline=0.8)
        brush.paint(shapes.box(u, v, cx, cy, 0.14, 0.008), "dark", outline=0.0)
    for foot in (-0.05, 0.16):
        brush.paint(shapes.capsule(x, y, (foot, 0.45), (foot + 0.02, 0.72), 0.028), "dark", outline=0.0)
        for toe in (-0.08, 0.0, 0.08):
            brush.paint(shapes.capsule(x, y, (foot + 0.02, 0.68), (foot + toe, 0.8), 0.02), "dark", outline=0.0)


def _tail(brush: Brush, instance: Instance) -> None:
    x, y = brush.x, brush.y
    length = between(instance, 0, 0.42, 0.56)
    for k in range(4):
        angle = 2.75 - 0.13 * k
        start = (-0.3, 0.2)
        stop = (start[0] + length * np.cos(angle) * 1.1, start[1] + length * np.sin(angle) + 0.02 * k)
        role = "second" if k % 2 else "dark"
        brush.paint(shapes.capsule(x, y, start, stop, 0.06), role, bevel=0.05, outline=0.7)


def _plumage(brush: Brush, stage: Stage) -> None:
    x, y, instance = brush.x, brush.y, stage.body.instance
    plump = between(instance, 1, 0.36, 0.44)
    u, v = shapes.rotate(x, y, -0.45, 0.02, 0.1)
    body = shapes.ellipse(u, v, 0.02, 0.1, 0.54, plump)
    down = texture.scales(u, v, 5.5, 7.5, 0.3)
    brush.paint(body, "body", grain=down, bevel=0.3, outline=0.7)
    belly = np.maximum(shapes.ellipse(u, v, 0.16, 0.26, 0.34, 0.2), body + np.float32(0.03))
    brush.paint(
        belly, "light", grain=texture.speckle(x, y, stage.body.texture_seed, 50, 0.1), outline=0.0, opacity=0.85
    )
    u, v = shapes.rotate(x, y, -0.62, -0.12, 0.06)
    wing = shapes.ellipse(u, v, -0.12, 0.06, 0.42, 0.2)
    feathers = texture.scales(v, -u, between(instance, 2, 5.0, 7.0), between(instance, 3, 3.6, 4.8), 0.5)
    brush.paint(wing, "second", grain=feathers, bevel=0.1, outline=0.9)
    for k in range(3):
        start, stop = (-0.38 - 0.02 * k, 0.1 + 0.07 * k), (-0.56 + 0.06 * k, 0.27 + 0.05 * k)
        brush.paint(shapes.capsule(x, y, start, stop, 0.035), "dark", outline=0.0)


def _head(brush: Brush, stage: Stage) -> None:
    x, y = brush.x, brush.y
    hx, hy = HEAD
    radius = between(stage.body.instance, 4, 0.24, 0.3)
    down = texture.scales(x, y, 9, 10, 0.22)
    brush.paint(shapes.circle(x, y, hx, hy, radius), "body", grain=down, bevel=0.2, outline=0.6)
    cap = np.maximum(shapes.circle(x, y, hx, hy, radius), y - np.float32(hy - 0.08))
    brush.paint(cap, "second", bevel=0.1, outline=0.5)
    brush.paint(shapes.circle(x, y, hx + 0.09, hy - 0.02, 0.078), "light", outline=0.2)
    brush.paint(shapes.circle(x, y, hx + 0.1, hy - 0.02, 0.052), "dark", outline=0.0)
    brush.paint(shapes.circle(x, y, hx + 0.115, hy - 0.04, 0.018), "light", outline=0.0)


def _bird(stage: Stage) -> Part:
    brush = stage.still((-1.0, -0.85, 1.0, 0.97))
    _branch(brush, stage)
    _tail(brush, stage.body.instance)
    _plumage(brush, stage)
    _head(brush, stage)
    return stage.settle(brush)


def _beak(stage: Stage, sign: float) -> Brush:
    x0, y0 = HEAD[0] + 0.18, HEAD[1] + 0.03
    length = between(stage.body.instance, 5, 0.28, 0.38)
    brush = stage.sprite((x0 - 0.1, y0 - 0.22, x0 + length + 0.06, y0 + 0.22))
    x, y = brush.x, brush.y
    half = np.float32(0.115) * np.clip(1 - (x - np.float32(x0)) / np.float32(length), 0, 1)
    v = (y - np.float32(y0)) * np.float32(sign)
    beak = np.maximum(np.maximum(-v, v - half), np.maximum(x0 - x, x - np.float32(x0 + length)))
    brush.paint(beak, "accent", bevel=0.05, outline=0.5, gloss=0.3)
    return brush


def _draw(stage: Stage) -> list[Part]:
    opened = active(stage.times, stage.events, 0.03)
    hinge = (HEAD[0] + 0.18, HEAD[1] + 0.03)
    rest = still(len(stage.times))
    lower = stage.move(_beak(stage, 1.0), Motion(hinge, 0.1 + 0.45 * opened, rest))
    upper = stage.move(_beak(stage, -1.0), Motion(hinge, -0.2 * opened, rest))
    return [lower, upper, _bird(stage)]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    return chirping(source, events, samples, sweep=between(source.instance, 6, -0.5, 0.5))


KIND = Kind(
    name="bird",
    group="animal",
    synonyms=("bird", "songbird", "small bird"),
    sounds=("chirps", "sings", "calls"),
    rhythm="impacts",
    pitch_range_hz=(900.0, 5200.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
)
