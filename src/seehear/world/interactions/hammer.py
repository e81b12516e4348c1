"""Hammer in a hand: it comes raised into the picture from below, strikes, and is drawn back.

As in `hand`, the local unit is the picture's width and the origin is the place that the face strikes.
"""

import numpy as np

from seehear.world.interactions import hand
from seehear.world.kinds import Kind
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.painting.motion import lift

RAISED = 0.75  # radians
GRIP = (0.33, 0.02)


def _hammer(brush: Brush, stage: Stage) -> None:
    x, y = brush.x, brush.y
    hand.forearm(brush, stage.body.instance, GRIP[0] + 0.02, 0.1, 1.3)
    grain = texture.wood(y * 3, x, stage.body.texture_seed)
    brush.paint(shapes.capsule(x, y, (0.0, -0.055), (0.4, 0.025), 0.02), "accent", grain=grain, bevel=0.03, outline=0.7)
    head = np.minimum(
        shapes.box(x, y, 0.0, -0.055, 0.036, 0.055, 0.008), shapes.box(x, y, 0, -0.01, 0.045, 0.012, 0.004)
    )
    brush.paint(head, "dark", bevel=0.03, gloss=0.8, outline=0.5)
    brush.paint(shapes.box(x, y, GRIP[0], 0.045, 0.062, 0.07, 0.04), "light", bevel=0.05, outline=0.65)
    for k in range(4):
        start = (GRIP[0] - 0.06 + 0.04 * k, -0.028 + 0.008 * k)
        brush.paint(shapes.capsule(x, y, start, (start[0] + 0.01, start[1] + 0.055), 0.021), "light", outline=0.75)


def _draw(stage: Stage) -> list[Part]:
    brush = stage.sprite((-0.06, -0.13, 0.46, 1.32))
    _hammer(brush, stage)
    turn = RAISED * lift(stage.times, stage.events)
    return [stage.move(brush, Motion(GRIP, turn, hand.reach(stage, tall=0.4)))]


KIND = Kind(
    name="hammer",
    group="person",
    synonyms=("hammer", "hand with a hammer"),
    sounds=("strikes",),
    rhythm="impacts",
    pitch_range_hz=(100.0, 400.0),
    extent=hand.extent,
    draw=_draw,
    voice=hand.silent,
)
