"""Bell: a flared metal shell with rim bands under a yoke; it swings, the clapper strikes; inharmonic partials."""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.painting.motion import lift, still, swing
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.modal import struck

RATIOS = (0.5, 1.0, 1.2, 1.5, 2.0, 2.5, 3.0)  # hum, prime, tierce, quint, nominal and above
WEIGHTS = (0.6, 1.0, 0.8, 0.5, 0.8, 0.4, 0.35)
TOP, LIP = -0.6, 0.66


def extent(_: Instance) -> Extent:
    """The rectangle that a bell with its yoke and clapper fills."""
    return (-0.92, -1.03, 0.92, 0.94)


def outline(instance: Instance) -> tuple[ndarray, ndarray]:
    """Heights and half-widths of an individual's shell, for `shapes.profile`."""
    shoulder = between(instance, 0, 0.28, 0.4)
    waist = between(instance, 1, 0.36, 0.5)
    flare = between(instance, 2, 0.66, 0.82)
    knots = [TOP, -0.5, -0.3, 0.1, 0.42, LIP]
    return shapes.smooth_curve(knots, [0.14, shoulder, shoulder + 0.06, waist, waist + 0.14, flare])


def _yoke(stage: Stage) -> Part:
    brush = stage.still((-0.95, -1.02, 0.95, -0.6))
    x, y = brush.x, brush.y
    grain = texture.wood(y * 2, x, stage.body.texture_seed)
    brush.paint(shapes.box(x, y, 0, -0.88, 0.86, 0.1, 0.03), "second", grain=grain)
    for side in (-0.62, 0.62):
        brush.paint(shapes.box(x, y, side, -0.88, 0.06, 0.12, 0.02), "dark")
        brush.paint(shapes.circle(x, y, side, -0.88, 0.04), "light", outline=0.3)
    return stage.settle(brush)


def _bands(brush: Brush, body: ndarray, nx: ndarray, gloss: float) -> None:
    for height, thick, role in (
        (-0.36, 0.022, "dark"), (-0.28, 0.022, "dark"), (0.2, 0.03, "light"), (0.27, 0.015, "dark"),
        (0.46, 0.022, "dark"), (0.55, 0.05, "accent"), (0.62, 0.018, "dark"),
    ):  # fmt: skip
        curve = np.float32(height) + np.float32(0.05) * (1 - nx * nx)
        band = np.maximum(np.abs(brush.y - curve) - np.float32(thick), body)
        brush.paint(band, role, normal=(nx * np.float32(0.9), 0.0), gloss=gloss * 0.5, outline=0.0)


def _shell(stage: Stage) -> Brush:
    instance = stage.body.instance
    brush = stage.sprite((-0.92, -0.84, 0.92, 0.8))
    x, y = brush.x, brush.y
    brush.paint(shapes.ring(x, y, 0, -0.7, 0.09, 0.06), "second", gloss=0.3)
    knots, halves = outline(instance)
    body = shapes.profile(x, y, knots, halves)
    flare = float(halves[-1])
    nx = np.clip(x / np.maximum(shapes.half_width(y, knots, halves), 0.05), -0.95, 0.95)
    gloss = 0.25 + 0.9 * instance.gloss
    lip = shapes.ellipse(x, y, 0, LIP, flare, 0.1)
    body = np.minimum(body, lip)
    grain = texture.brushed(x, y, stage.body.texture_seed, 0.12)
    brush.paint(body, "body", grain=grain, normal=(nx * np.float32(0.92), np.float32(-0.15)), gloss=gloss)
    _bands(brush, body, nx, gloss)
    brush.paint(shapes.ellipse(x, y, 0, LIP + 0.015, flare * 0.88, 0.066), "dark", outline=0.0)
    return brush


def _clapper(stage: Stage) -> Brush:
    brush = stage.sprite((-0.2, 0.3, 0.2, 1.0))
    brush.paint(shapes.capsule(brush.x, brush.y, (0, 0.3), (0, 0.75), 0.035), "light")
    brush.paint(shapes.circle(brush.x, brush.y, 0, 0.82, 0.14), "second", bevel=0.14, gloss=0.6)
    return brush


def swinging(stage: Stage, shell: Brush) -> list[Part]:
    """A bell of the painted shell: it swings under its yoke, the clapper touches it at every event."""
    count = len(stage.times)
    turn = 0.13 * swing(stage.times, stage.events, 1.3, 0.7)
    side = np.zeros(count)
    for event in stage.events:
        near = np.abs(stage.times - event.start_seconds) < 0.4
        side = np.where(near, 1.0 if event.side else -1.0, side)
    clapper_turn = turn + 0.3 * side * (1 - lift(stage.times, stage.events))
    body = stage.move(shell, Motion((0, -0.85), turn, still(count)))
    return [_yoke(stage), body, stage.move(_clapper(stage), Motion((0, -0.3), clapper_turn, still(count)))]


def _draw(stage: Stage) -> list[Part]:
    return swinging(stage, _shell(stage))


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    loss = 0.012 * 0.15**source.instance.gloss
    hardness = between(source.instance, 3, 0.0009, 0.0003)
    return struck(source, events, samples, RATIOS, WEIGHTS, loss=loss, contact_seconds=hardness)


KIND = Kind(
    name="bell",
    group="struck",
    synonyms=("bell", "church bell", "hand bell"),
    sounds=("rings", "tolls", "chimes"),
    rhythm="impacts",
    pitch_range_hz=(190.0, 1520.0),
    extent=extent,
    draw=_draw,
    voice=_voice,
)
