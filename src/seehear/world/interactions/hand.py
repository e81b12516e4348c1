"""Hand: it reaches into the picture from below with one finger out, touches, and draws back.

Its local unit is the picture's width and its origin the fingertip's place at the touch; until the touch it moves in
the same way whatever comes of it. A miss turns back short of the thing.
"""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.scenes import Event, Instance, Source

SIZE = 2.0  # body size at which one local unit is one picture width
APPROACH_SECONDS, STAY_SECONDS, RETREAT_SECONDS = 0.45, 0.1, 0.45
SHORT_OF = 0.16  # how far from the thing a miss turns back, in picture widths


def extent(_: Instance) -> Extent:
    """The rectangle round the fingertip that fixes the scale."""
    return (-1.0, -1.0, 1.0, 1.0)


def away(times: ndarray, events: tuple[Event, ...], least: float = 0.0) -> ndarray:
    """How far the hand is from what it touches `[T]`: 1 out of the picture, 0 at the touch, `least` at a miss."""
    result = np.ones(len(times))
    for event in events:
        before = (event.start_seconds - times) / APPROACH_SECONDS
        after = (times - event.start_seconds - STAY_SECONDS) / RETREAT_SECONDS
        near = np.sin(np.clip(np.maximum(before, after), 0, 1) * np.pi / 2)
        result = np.minimum(result, near if event.kind != "miss" else least + (1 - least) * near)
    return result


def reach(stage: Stage, tall: float = 0.1) -> ndarray:
    """Shift `[T, 2]` along the forearm, in local units: what rises `tall` above the origin leaves the picture."""
    travel = (1 - stage.body.y + tall) / np.cos(stage.body.angle)
    near = away(stage.times, stage.events, min(1.0, SHORT_OF / travel))
    return np.column_stack([np.zeros(len(near)), travel * near])


def forearm(brush: Brush, instance: Instance, x: float, top: float, bottom: float) -> None:
    """Wrist and sleeve with its cuff, from the hand down."""
    wide = between(instance, 1, 0.9, 1.2)
    cloth = texture.speckle(brush.x, brush.y, instance.number, 60, 0.12)
    wrist = shapes.capsule(brush.x, brush.y, (x, top), (x, top + 0.1), 0.042 * wide)
    brush.paint(wrist, "light", bevel=0.05, outline=0.6)
    sleeve = shapes.box(brush.x, brush.y, x, (top + 0.06 + bottom) / 2, 0.068 * wide, (bottom - top - 0.06) / 2, 0.02)
    brush.paint(sleeve, "body", grain=cloth, bevel=0.06, outline=0.7)
    brush.paint(shapes.box(brush.x, brush.y, x, top + 0.085, 0.076 * wide, 0.025, 0.012), "second", outline=0.7)


def _pointing(brush: Brush, instance: Instance) -> None:
    x, y = brush.x, brush.y
    long = between(instance, 0, 0.9, 1.15)
    forearm(brush, instance, 0.035, 0.27, 1.3)
    thumb = shapes.capsule(x, y, (-0.045, 0.155), (-0.01, 0.23), 0.026)
    brush.paint(thumb, "light", bevel=0.03, outline=0.6)
    finger = shapes.capsule(x, y, (0.0, 0.024), (0.0, 0.16 * long), 0.024)
    back = shapes.box(x, y, 0.035, 0.2, 0.068, 0.08, 0.05)
    brush.paint(np.minimum(finger, back), "light", bevel=0.045, outline=0.65)
    for cx, cy in ((0.042, 0.15), (0.075, 0.16), (0.1, 0.18)):  # the fingers that are folded in
        brush.paint(shapes.capsule(x, y, (cx, cy), (cx, cy + 0.04), 0.02), "light", bevel=0.02, outline=0.75)
    brush.paint(shapes.ellipse(x, y, 0.0, 0.02, 0.012, 0.012), "second", outline=0.0, opacity=0.7)


def _draw(stage: Stage) -> list[Part]:
    brush = stage.sprite((-0.12, -0.02, 0.18, 1.32))
    _pointing(brush, stage.body.instance)
    return [stage.move(brush, Motion((0.0, 0.0), np.zeros(len(stage.times)), reach(stage)))]


def silent(_: Source, __: tuple[Event, ...], samples: int) -> ndarray:
    """A hand makes no sound of its own."""
    return np.zeros(samples, np.float32)


KIND = Kind(
    name="hand",
    group="person",
    synonyms=("hand", "pointing hand", "finger"),
    sounds=("touches",),
    rhythm="impacts",
    pitch_range_hz=(100.0, 400.0),
    extent=extent,
    draw=_draw,
    voice=silent,
)
