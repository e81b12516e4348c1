"""Pot: its hinged lid stands open; pushed, the lid falls shut with a clang."""

import numpy as np
from numpy import ndarray

from seehear.world.interactions.states import CHANGE, CONTACT, Action, of_kind, shaken, since_change
from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.painting.motion import still
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.modal import struck

RATIOS, WEIGHTS = (1.0, 1.73, 2.33, 3.91, 4.12, 6.3), (1.0, 0.8, 0.9, 0.6, 0.5, 0.3)
RIM, HALF = -0.02, 0.6
HINGE = (-0.62, RIM)
OPEN = 1.2  # radians
FALL_SECONDS = 0.3
RATTLE = ((0.07, 0.4), (0.115, 0.2))  # seconds after the first blow, strength


def _extent(_: Instance) -> Extent:
    return (-0.95, -1.22, 0.95, 1.18)


def _pot(stage: Stage) -> tuple[Part, Part]:
    """The inside with the far half of the rim, and what stands before it."""
    instance = stage.body.instance
    brush = stage.still((-0.96, -0.2, 0.96, 1.0))
    x, y = brush.x, brush.y
    brush.paint(shapes.ellipse(x, y, 0, RIM, HALF + 0.03, 0.14), "light", outline=0.8)
    brush.paint(shapes.ellipse(x, y, 0, RIM + 0.01, HALF - 0.04, 0.1), "dark", outline=0.0)
    back = stage.settle(brush)
    brush = stage.still((-0.96, -0.2, 0.96, 1.0))
    for side in (-1.0, 1.0):
        brush.paint(shapes.ring(x, y, side * (HALF + 0.08), 0.3, 0.15, 0.09), "dark", gloss=0.3, outline=0.6)
    foot = between(instance, 0, 0.48, 0.6)
    wall = shapes.profile(x, y, np.array([RIM, 0.78, 0.94]), np.array([HALF, (HALF + foot) / 2, foot]))
    wall = np.maximum(wall, -shapes.ellipse(x, y, 0, RIM, HALF - 0.02, 0.12))
    nx = np.clip(x / np.float32(HALF), -0.95, 0.95)
    grain = texture.brushed(x, y, stage.body.texture_seed)
    brush.paint(
        wall, "body", grain=grain, normal=(nx * np.float32(0.9), 0.0), gloss=0.3 + 0.6 * instance.gloss, outline=0.8
    )
    band = np.maximum(np.abs(y - np.float32(0.62)) - np.float32(0.05), wall + np.float32(0.02))
    brush.paint(band, "second", normal=(nx * np.float32(0.9), 0.0), outline=0.0)
    return back, stage.settle(brush)


def _lid(stage: Stage) -> Brush:
    """The lid as it lies on the pot."""
    brush = stage.sprite((-0.72, -0.5, 0.72, 0.12))
    x, y = brush.x, brush.y
    brush.paint(shapes.capsule(x, y, (0, -0.26), (0, -0.36), 0.09), "dark", gloss=0.5, outline=0.5)
    dome = np.maximum(shapes.ellipse(x, y, 0, RIM, HALF + 0.05, 0.3), y - np.float32(RIM + 0.05))
    nx = np.clip(x / np.float32(HALF), -0.95, 0.95)
    grain = texture.brushed(x, y, stage.body.texture_seed + 1)
    brush.paint(dome, "body", grain=grain, normal=(nx * np.float32(0.8), np.float32(-0.4)), gloss=0.8, outline=0.8)
    lip = shapes.capsule(x, y, (-HALF - 0.02, RIM + 0.03), (HALF + 0.02, RIM + 0.03), 0.045)
    brush.paint(lip, "second", gloss=0.5, outline=0.7)
    return brush


def _draw(stage: Stage) -> list[Part]:
    fallen = np.clip(1 + since_change(stage) / FALL_SECONDS, 0, 1) ** 2
    turn = -OPEN * (1 - fallen) + 0.08 * shaken(stage, 6.0)
    lid = stage.move(_lid(stage), Motion(HINGE, turn, still(len(turn))))
    back, front = _pot(stage)
    return [back, front, lid]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    falls = of_kind(events, CHANGE)
    rattle = tuple(
        Event(e.source, e.kind, e.start_seconds + late, e.stop_seconds, strength * e.strength, e.side)
        for e in falls
        for late, strength in RATTLE
    )
    clang = struck(source, (*falls, *rattle), samples, RATIOS, WEIGHTS, loss=0.01, contact_seconds=0.0005, click=0.2)
    tink = struck(source, of_kind(events, CONTACT), samples, RATIOS, WEIGHTS, loss=0.02, contact_seconds=0.001,
                  transpose=1.5)  # fmt: skip
    return clang + tink


def _touched(_: Instance, __: str) -> tuple[float, float]:
    c, s = np.cos(OPEN), np.sin(OPEN)
    u, v = 0.35 - HINGE[0], -0.2 - HINGE[1]  # on the lid's outside, as it lies
    return (float(HINGE[0] + c * u + s * v), float(HINGE[1] - s * u + c * v))


ACTION = Action("close", ("open", "closed"), _touched, FALL_SECONDS)

KIND = Kind(
    name="pot",
    group="household",
    synonyms=("pot", "cooking pot", "saucepan"),
    sounds=("clangs", "falls shut"),
    rhythm="impacts",
    pitch_range_hz=(260.0, 1040.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
    crest=20.0,
)
