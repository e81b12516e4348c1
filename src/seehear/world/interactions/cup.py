"""Cup: a mug on an open shelf; pushed over the edge it falls and breaks on the floor into pieces that stay there."""

import numpy as np
from numpy import ndarray

from seehear.world.interactions.states import (
    CHANGE,
    CONTACT,
    Action,
    of_kind,
    painted,
    shaken,
    since_change,
    vanishing,
)
from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.painting.motion import still
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.levels import SAMPLE_RATE, TOP_HZ, unit_peak
from seehear.world.sounds.modal import struck
from seehear.world.streams import stream

RATIOS, WEIGHTS = (1.0, 1.03, 2.4, 3.9, 5.7), (1.0, 0.6, 0.7, 0.5, 0.3)
STANDS, LANDS = (-0.16, -0.44), (0.52, 0.64)  # middle of the cup on the shelf and where it breaks
HALF_WIDTH, HALF_HEIGHT = 0.35, 0.38
SHELF, FLOOR = -0.06, 0.9
FALL_SECONDS, FALL_TURN = 0.38, 2.0
SCATTER_SECONDS, SCATTER_STEPS = 0.3, 5
PIECES, SHARDS_HEARD = 11, 40
SETTLE_SECONDS = 0.09


def _extent(_: Instance) -> Extent:
    return (-1.0, -0.9, 1.0, 1.0)


def _shelf(stage: Stage) -> Part:
    brush = stage.still((-1.0, -0.9, 1.0, 1.0))
    x, y = brush.x, brush.y
    grain = texture.wood(y * 2, x, stage.body.texture_seed)
    brush.paint(shapes.box(x, y, -0.92, 0.05, 0.07, 0.93, 0.02), "second", grain=grain, outline=0.8)
    brush.paint(shapes.box(x, y, 0, 0.945, 0.98, 0.05, 0.02), "second", grain=grain, outline=0.8)
    brush.paint(shapes.box(x, y, -0.41, SHELF + 0.05, 0.55, 0.05, 0.02), "second", grain=grain, outline=0.8)
    bracket = shapes.capsule(x, y, (-0.87, 0.4), (-0.4, 0.06), 0.035)
    brush.paint(bracket, "second", grain=grain, outline=0.8)
    return stage.settle(brush)


def _cup(stage: Stage) -> Brush:
    instance = stage.body.instance
    cx, cy = STANDS
    brush = stage.sprite((cx - 0.4, cy - 0.5, cx + 0.66, cy + 0.44))
    x, y = brush.x - np.float32(cx), brush.y - np.float32(cy)
    foot = between(instance, 0, 0.72, 1.0) * HALF_WIDTH
    handle = shapes.ring(x, y, HALF_WIDTH + 0.02, 0.02, 0.18, 0.085)
    brush.paint(handle, "body", bevel=0.05, gloss=0.4, outline=0.8)
    side = shapes.profile(x, y, np.array([-HALF_HEIGHT, HALF_HEIGHT]), np.array([HALF_WIDTH, foot]))
    nx = np.clip(x / np.float32(HALF_WIDTH), -0.95, 0.95)
    brush.paint(side, "body", normal=(nx * np.float32(0.9), 0.0), gloss=0.3 + 0.5 * instance.gloss, outline=0.8)
    band = np.maximum(np.abs(y - np.float32(0.1)) - np.float32(0.06), side + np.float32(0.02))
    brush.paint(band, "accent", normal=(nx * np.float32(0.9), 0.0), outline=0.0)
    rim = shapes.ellipse(x, y, 0, -HALF_HEIGHT, HALF_WIDTH, 0.08)
    brush.paint(rim, "light", outline=0.6)
    brush.paint(shapes.ellipse(x, y, 0, -HALF_HEIGHT + 0.01, HALF_WIDTH * 0.82, 0.05), "dark", outline=0.0)
    return brush


def _wedge(u: ndarray, v: ndarray, size: float) -> ndarray:
    """A three-cornered piece round the origin."""
    slanted = np.abs(u) * np.float32(0.8) + v * np.float32(0.6) - np.float32(0.6 * size)
    return np.maximum(slanted, -v - np.float32(size))


def _pieces(stage: Stage, since: ndarray) -> Part:
    """The pieces: they fly off from where the cup lands, and lie there."""
    rng = stream(stage.body.texture_seed, "pieces")
    lie_x = np.linspace(0.0, 0.9, PIECES) + rng.uniform(-0.04, 0.04, PIECES)
    lie_y = FLOOR - rng.uniform(0.02, 0.1, PIECES)
    sizes, turns = rng.uniform(0.07, 0.16, PIECES), rng.uniform(-3, 3, PIECES)
    high = rng.uniform(0.1, 0.55, PIECES)

    def paint(brush: Brush, done: float) -> None:
        if done <= 0:
            return
        for k in range(PIECES):
            cx = LANDS[0] + (lie_x[k] - LANDS[0]) * done
            cy = LANDS[1] + (lie_y[k] - LANDS[1]) * done - high[k] * 4 * done * (1 - done)
            u, v = shapes.rotate(brush.x, brush.y, float(turns[k] * (0.3 + done)), cx, cy)
            wedge = _wedge(u - np.float32(cx), v - np.float32(cy), float(sizes[k]))
            role = "accent" if k % 4 == 1 else "light" if k % 4 == 3 else "body"
            brush.paint(wedge, role, bevel=0.04, gloss=0.3, outline=0.8)

    done = np.ceil(np.clip((since + 1e-9) / SCATTER_SECONDS, 0, 1) * SCATTER_STEPS) / SCATTER_STEPS
    return painted(stage, (-0.3, -0.4, 1.0, 1.0), done, paint)


def _draw(stage: Stage) -> list[Part]:
    since = since_change(stage)
    falling = np.clip(1 + since / FALL_SECONDS, 0, 1)
    turn = FALL_TURN * falling**1.5 + 0.16 * shaken(stage, 5.0)
    shift = np.column_stack(
        [falling * (LANDS[0] - STANDS[0]), np.clip(falling - 0.25, 0, 1) ** 2 / 0.5625 * (LANDS[1] - STANDS[1])]
    )
    pivot = (STANDS[0], STANDS[1] + HALF_HEIGHT * 0.4)
    if not of_kind(stage.events, CHANGE):
        shift = still(len(stage.times))
    cup = stage.move(_cup(stage), Motion(pivot, turn, shift))
    return [_shelf(stage), vanishing(cup, since >= 0), _pieces(stage, since)]


def _crash(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    """Many pieces that ring briefly, the first at once, fewer and fewer after it."""
    rng = stream(source.seed, "crash")
    result = np.zeros(samples)
    for event in events:
        start = round(event.start_seconds * SAMPLE_RATE)
        late = np.sort(rng.exponential(SETTLE_SECONDS, SHARDS_HEARD))
        late -= late[0]
        for seconds in late:
            first = start + round(seconds * SAMPLE_RATE)
            hertz = min(TOP_HZ, source.pitch_hz * 2 ** rng.uniform(0.3, 2.8))
            time = np.arange(max(0, min(samples - first, round(0.15 * SAMPLE_RATE)))) / SAMPLE_RATE
            ring = np.sin(2 * np.pi * hertz * time) + 0.7 * rng.standard_normal(len(time)) * np.exp(-time / 0.003)
            loud = event.strength * np.exp(-seconds / 0.15) * rng.uniform(0.3, 1.0)
            result[first : first + len(time)] += loud * ring * np.exp(-time / rng.uniform(0.006, 0.035))
    return unit_peak(result)


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    clink = struck(source, of_kind(events, CONTACT), samples, RATIOS, WEIGHTS, loss=0.018, contact_seconds=0.0006)
    return (clink + _crash(source, of_kind(events, CHANGE), samples)).astype(np.float32)


def _touched(_: Instance, __: str) -> tuple[float, float]:
    return (STANDS[0] - HALF_WIDTH, STANDS[1])


ACTION = Action("break", ("whole", "broken"), _touched, FALL_SECONDS, SCATTER_SECONDS)

KIND = Kind(
    name="cup",
    group="household",
    synonyms=("cup", "mug", "coffee cup"),
    sounds=("breaks", "shatters"),
    rhythm="impacts",
    pitch_range_hz=(500.0, 2000.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
    crest=20.0,
)
