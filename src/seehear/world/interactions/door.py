"""Door: it stands ajar in its frame; pushed, it swings shut with a slam. Seen in perspective."""

from itertools import pairwise

import numpy as np
from numpy import ndarray

from seehear.world.interactions.states import CHANGE, CONTACT, Action, of_kind, painted, since_change
from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Part, Stage
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.bursts import bursting
from seehear.world.sounds.modal import struck

RATIOS, WEIGHTS = (1.0, 1.58, 2.24, 2.92, 4.1), (1.0, 0.7, 0.5, 0.4, 0.25)
HINGE_X, WIDTH, HALF_HEIGHT = -0.5, 1.0, 0.84
OPEN, STEPS = 1.15, 12  # radians, and pictures of the swing
PERSPECTIVE = 0.16
SWING_SECONDS = 0.3
KNOB = 0.85  # share of the width


def _extent(_: Instance) -> Extent:
    return (-0.68, -1.0, 0.68, 1.0)


def _frame(stage: Stage) -> Part:
    """The frame, and the dark room behind it with a strip of its floor."""
    brush = stage.still((-0.7, -1.0, 0.7, 1.0))
    x, y = brush.x, brush.y
    grain = texture.wood(x, y, stage.body.texture_seed + 3)
    brush.paint(shapes.box(x, y, 0, 0, 0.66, 0.98, 0.02), "second", grain=grain, bevel=0.05, outline=0.8)
    inside = shapes.box(x, y, 0, 0, 0.5, HALF_HEIGHT)
    brush.paint(inside, "dark", outline=0.0)
    floor = np.maximum(inside, np.float32(0.5) - y + np.float32(0.1) * x)
    brush.paint(floor, "dark", grain=2.2, outline=0.0)
    return stage.settle(brush)


def _corner(angle: float) -> tuple[float, float]:
    """x of the free edge and its half-height at an angle of opening."""
    return HINGE_X + WIDTH * np.cos(angle), HALF_HEIGHT * (1 + PERSPECTIVE * np.sin(angle))


def _draw(stage: Stage) -> list[Part]:
    instance, seed = stage.body.instance, stage.body.texture_seed
    rows = 2 + int(between(instance, 0, 0, 1.99))

    def leaf(brush: Brush, opened: float) -> None:
        edge, tall = _corner(opened * OPEN)
        wide = np.float32(edge - HINGE_X)
        u = (brush.x - np.float32(HINGE_X)) / wide
        half = np.float32(HALF_HEIGHT) + np.float32(tall - HALF_HEIGHT) * np.clip(u, 0, 1)
        v = brush.y / half
        grain = texture.wood(u * np.float32(1.2), v, seed)
        shade = np.float32(1 - 0.25 * opened)

        def plate(u0: float, u1: float, v0: float, v1: float) -> ndarray:
            across = (np.abs(u - np.float32((u0 + u1) / 2)) - np.float32((u1 - u0) / 2)) * wide
            return np.maximum(across, (np.abs(v - np.float32((v0 + v1) / 2)) - np.float32((v1 - v0) / 2)) * half)

        brush.paint(plate(0, 1, -1, 1), "body", grain=grain * shade, bevel=0.03, outline=0.8)
        tops = np.linspace(-0.88, 0.88, rows + 1)
        for top, bottom in pairwise(tops):
            panel = plate(0.16, 0.8, top + 0.05, bottom - 0.05)
            brush.paint(panel, "body", grain=grain * shade * np.float32(0.72), bevel=0.05, outline=0.9)
        knob = HINGE_X + KNOB * float(wide) + 0.04 * np.cos(opened * OPEN)
        brush.paint(shapes.circle(brush.x, brush.y, knob, 0.05, 0.075), "accent", bevel=0.07, gloss=0.9, outline=0.7)

    swung = np.clip(1 + since_change(stage) / SWING_SECONDS, 0, 1)
    opened = np.ceil((1 - swung**1.6) * STEPS) / STEPS
    return [_frame(stage), painted(stage, (-0.56, -1.0, 0.66, 1.0), opened, leaf)]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    slams = of_kind(events, CHANGE)
    boom = struck(source, slams, samples, RATIOS, WEIGHTS, loss=0.12, contact_seconds=0.004, click=0.2)
    air = bursting(source, slams, samples, centre_hz=4 * source.pitch_hz, loss=1.2, decay_seconds=0.05)
    knock = struck(source, of_kind(events, CONTACT), samples, RATIOS, WEIGHTS, loss=0.06, contact_seconds=0.002,
                   transpose=2.4)  # fmt: skip
    return boom + np.float32(0.7) * air + knock


def _touched(_: Instance, __: str) -> tuple[float, float]:
    return (HINGE_X + KNOB * WIDTH * float(np.cos(OPEN)), 0.05)


ACTION = Action("slam", ("open", "closed"), _touched, SWING_SECONDS)

KIND = Kind(
    name="door",
    group="household",
    synonyms=("door", "wooden door"),
    sounds=("slams", "bangs"),
    rhythm="impacts",
    pitch_range_hz=(70.0, 280.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
    crest=20.0,
)
