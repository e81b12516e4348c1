"""Loudspeaker: a wooden box with a large and a small round driver that plays any class and never moves.

It has no sound of its own: the source that belongs to it is an individual of another class. Its pitch is the resonance
of the empty box, which nothing plays.
"""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Part, Stage
from seehear.world.scenes import Event, Instance, Source

TALL = 0.94


def _half_width(instance: Instance) -> float:
    return between(instance, 0, 0.62, 0.74)


def _extent(instance: Instance) -> Extent:
    half = _half_width(instance)
    return (-half, -TALL, half, TALL)


def _cone(brush: Brush, cy: float, radius: float, gloss: float) -> None:
    """One driver: frame with screws, rubber surround, a cone that falls towards its middle, dust cap."""
    x, y = brush.x, brush.y
    brush.paint(shapes.circle(x, y, 0, cy, radius), "second", bevel=0.06, gloss=gloss, outline=0.9)
    for angle in np.arange(8) * (np.pi / 4) + np.pi / 8:
        screw = (0.91 * radius * np.cos(angle), cy + 0.91 * radius * np.sin(angle))
        brush.paint(shapes.circle(x, y, *screw, 0.035 * radius), "light", outline=0.4)
    brush.paint(shapes.circle(x, y, 0, cy, 0.83 * radius), "dark", outline=0.0)
    away = np.maximum(np.hypot(x, y - np.float32(cy)), np.float32(1e-3))
    inwards = (-x / away * np.float32(0.6), -(y - np.float32(cy)) / away * np.float32(0.6))
    brush.paint(shapes.circle(x, y, 0, cy, 0.7 * radius), "accent", normal=inwards, outline=0.9)
    for share in (0.42, 0.56):
        brush.paint(shapes.ring(x, y, 0, cy, share * radius, 0.02), "dark", outline=0.0, opacity=0.5)
    brush.paint(shapes.circle(x, y, 0, cy, 0.27 * radius), "dark", bevel=0.12, gloss=gloss, outline=0.3)


def _draw(stage: Stage) -> list[Part]:
    instance, seed = stage.body.instance, stage.body.texture_seed
    half, gloss = _half_width(instance), 0.2 + 0.6 * instance.gloss
    brush = stage.still((-half - 0.05, -TALL - 0.05, half + 0.05, TALL + 0.05))
    x, y = brush.x, brush.y
    grain = texture.wood(x, y, seed, rings=4)
    brush.paint(shapes.box(x, y, 0, 0, half, TALL, 0.05), "body", grain=grain, bevel=0.1, gloss=0.5 * gloss)
    front = shapes.box(x, y, 0, 0, half - 0.09, TALL - 0.09, 0.03)
    brush.paint(front, "dark", grain=texture.speckle(x, y, seed, 70, 0.15), bevel=0.03, outline=0.4)
    reach = half - 0.13
    woofer, tweeter = between(instance, 1, 0.82, 1.0) * reach, between(instance, 2, 0.3, 0.42) * reach
    lowest = TALL - 0.14 - woofer
    _cone(brush, lowest, woofer, gloss)
    highest = -TALL + 0.15 + tweeter
    _cone(brush, highest, tweeter, gloss)
    _port(brush, (highest + tweeter + lowest - woofer) / 2, 0.55 * reach)
    return [stage.settle(brush)]


def _port(brush: Brush, cy: float, half: float) -> None:
    """The slot through which the box breathes, with a bright rim."""
    brush.paint(shapes.box(brush.x, brush.y, 0, cy, half, 0.055, 0.055), "light", outline=0.6)
    brush.paint(shapes.box(brush.x, brush.y, 0, cy, half - 0.03, 0.03, 0.03), "dark", outline=0.0)


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    del source, events
    return np.zeros(samples, np.float32)


KIND = Kind(
    name="loudspeaker",
    group="machine",
    synonyms=("loudspeaker", "speaker box", "loudspeaker box"),
    sounds=("stands there", "is switched off", "keeps silent"),
    rhythm="continuous",
    pitch_range_hz=(40.0, 160.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
)
