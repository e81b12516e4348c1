"""Balloon: pinned to a board, with its string; poked hard enough it pops and only a rag is left on the pin."""

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
from seehear.world.sounds.bursts import bursting
from seehear.world.sounds.modal import struck
from seehear.world.streams import stream

RATIOS, WEIGHTS = (1.0, 1.5, 2.1, 2.8), (1.0, 0.5, 0.3, 0.2)
PIN, MIDDLE = (0.0, 0.62), (0.0, -0.14)
FLY_SECONDS, STEPS, SHREDS = 0.3, 4, 9


def _extent(_: Instance) -> Extent:
    return (-0.9, -1.0, 0.9, 1.0)


def _board(stage: Stage) -> Part:
    brush = stage.still((-0.9, -1.0, 0.9, 1.0))
    x, y = brush.x, brush.y
    grain = texture.wood(x, y, stage.body.texture_seed, rings=4)
    brush.paint(shapes.box(x, y, 0, 0, 0.86, 0.97, 0.05), "second", grain=grain, bevel=0.06, outline=0.8)
    for joint in (-0.3, 0.3):
        brush.paint(np.abs(x - np.float32(joint)) - np.float32(0.012) + np.maximum(np.abs(y) - np.float32(0.94), 0),
                    "dark", outline=0.0, opacity=0.7)  # fmt: skip
    return stage.settle(brush)


def _radii(instance: Instance) -> tuple[float, float]:
    return between(instance, 0, 0.46, 0.58), between(instance, 1, 0.58, 0.7)


def _balloon(stage: Stage) -> Brush:
    instance = stage.body.instance
    wide, tall = _radii(instance)
    brush = stage.sprite((-0.64, -0.9, 0.64, 0.72))
    x, y = brush.x, brush.y
    below = np.clip((y - np.float32(MIDDLE[1])) / np.float32(tall), 0, 1)
    skin = shapes.ellipse(x * (1 + np.float32(0.22) * below**2), y, *MIDDLE, wide, tall)
    nx, ny = x / np.float32(wide), (y - np.float32(MIDDLE[1])) / np.float32(tall)
    normal = (np.clip(nx, -0.9, 0.9) * np.float32(0.9), np.clip(ny, -0.9, 0.9) * np.float32(0.9))
    foot = MIDDLE[1] + tall
    knot = np.maximum(np.abs(x) - (y - np.float32(foot - 0.03)) * np.float32(0.9), y - np.float32(foot + 0.07))
    brush.paint(knot.astype(np.float32), "body", outline=0.7)
    brush.paint(skin, "body", normal=normal, gloss=0.9, outline=0.7)
    brush.paint(
        shapes.ellipse(x, y, -0.4 * wide, MIDDLE[1] - 0.42 * tall, 0.09, 0.14), "light", outline=0.0, opacity=0.85
    )
    return brush


def _string(stage: Stage) -> Part:
    """The string below the balloon's knot, and the pin that holds it; they stay."""
    brush = stage.still((-0.2, 0.3, 0.25, 0.98))
    x, y = brush.x, brush.y
    foot = MIDDLE[1] + _radii(stage.body.instance)[1]
    curl = x - np.float32(0.06) * np.sin((y - np.float32(foot)) * np.float32(14))
    thread = np.maximum(np.abs(curl) - np.float32(0.02), np.maximum(np.float32(foot) - y, y - np.float32(0.9)))
    brush.paint(thread, "light", outline=0.0)
    brush.paint(shapes.circle(x, y, *PIN, 0.06), "dark", gloss=0.8, outline=0.3)
    return stage.settle(brush)


def _rags(stage: Stage, since: ndarray) -> Part:
    """Shreds that fly off, and the limp rest that hangs from the knot."""
    rng = stream(stage.body.texture_seed, "rags")
    turns = np.linspace(0, 2 * np.pi, SHREDS, endpoint=False) + rng.uniform(-0.3, 0.3, SHREDS)
    sizes = rng.uniform(0.07, 0.15, SHREDS)
    foot = MIDDLE[1] + _radii(stage.body.instance)[1]

    def paint(brush: Brush, done: float) -> None:
        x, y = brush.x, brush.y
        if done <= 0:
            return
        for k in range(3):
            side = (-0.12, 0.02, 0.13)[k]
            rag = shapes.capsule(x, y, (0, foot), (side, foot + 0.16 + 0.04 * k), 0.055)
            brush.paint(rag, "body", bevel=0.04, outline=0.8)
        if done >= 1:
            return
        for turn, size in zip(turns, sizes, strict=True):
            far = 0.3 + 0.55 * done
            cx, cy = far * np.cos(turn), MIDDLE[1] + far * np.sin(turn) + 0.25 * done**2
            u, v = shapes.rotate(x, y, float(turn), cx, cy)
            brush.paint(shapes.ellipse(u, v, cx, cy, size * (1.4 - done), size * 0.4), "body", outline=0.7)

    done = np.ceil(np.clip((since + 1e-9) / FLY_SECONDS, 0, 1) * STEPS) / STEPS
    return painted(stage, (-0.95, -1.0, 0.95, 1.0), done, paint)


def _draw(stage: Stage) -> list[Part]:
    since = since_change(stage)
    foot = (0.0, MIDDLE[1] + _radii(stage.body.instance)[1])
    turn = 0.14 * shaken(stage, 4.0, 0.14)
    balloon = stage.move(_balloon(stage), Motion(foot, turn, still(len(since))))
    return [_board(stage), _string(stage), vanishing(balloon, since >= 0), _rags(stage, since)]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    pops = of_kind(events, CHANGE)
    bang = bursting(source, pops, samples, centre_hz=5 * source.pitch_hz, loss=1.5, decay_seconds=0.025)
    air = struck(source, pops, samples, RATIOS, WEIGHTS, loss=0.15, contact_seconds=0.002)
    pat = struck(source, of_kind(events, CONTACT), samples, RATIOS, WEIGHTS, loss=0.1, contact_seconds=0.006)
    return bang + np.float32(0.6) * air + pat


def _touched(_: Instance, __: str) -> tuple[float, float]:
    return (0.06, MIDDLE[1] + 0.12)


ACTION = Action("pop", ("blown up", "burst"), _touched, change_seconds=FLY_SECONDS)

KIND = Kind(
    name="balloon",
    group="household",
    synonyms=("balloon", "toy balloon"),
    sounds=("pops", "bursts"),
    rhythm="impacts",
    pitch_range_hz=(130.0, 520.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
    crest=20.0,
)
