"""Horn: a coiled metal tube with mouthpiece, opening into a wide flare that swells with the tone; brassy harmonics.

The louder the tone, the wider the flare and the stronger the high harmonics.
"""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Part, Stage
from seehear.world.painting.motion import active
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.tunes import tune
from seehear.world.sounds.winds import blown

COIL = (-0.22, 0.24)
AXIS = -0.26  # height of the flare's axis, where the tube leaves the coil
MOUTH, NECK = 0.74, -0.25  # where the flare ends and begins
SWELLS = 7  # pictures of the flare
EDGE_SECONDS = 0.09
RATIOS = (0.75, 1.0, 1.25, 1.5)  # natural tones


def _extent(_: Instance) -> Extent:
    return (-1.0, -0.85, 0.98, 0.85)


def loudness(times: ndarray, events: tuple[Event, ...]) -> ndarray:
    """How loud the horn is at each time, 0 to 1: the same for picture and sound."""
    return active(times, events, EDGE_SECONDS)


def _radius(instance: Instance) -> float:
    return between(instance, 0, 0.44, 0.5)


def _coil(stage: Stage) -> Part:
    instance = stage.body.instance
    brush = stage.still((-1.05, -0.6, 0.5, 0.9))
    x, y = brush.x, brush.y
    (cx, cy), radius, gloss = COIL, _radius(instance), 0.3 + 0.8 * instance.gloss
    lower = cy - radius - AXIS  # the coil's top meets the axis
    for k in range(2 + int(between(instance, 1, 0, 1.99))):
        own = radius - 0.13 * k
        _pipe(brush, shapes.circle(x, y, cx, cy - lower, own), 0.062, gloss)
    _pipe(brush, shapes.capsule(x, y, (-0.88, AXIS - 0.1), (cx, AXIS), 0.0), 0.05, gloss)
    along = np.clip((np.float32(-0.8) - x) / np.float32(0.2), 0, 1)
    cup = np.maximum(np.abs(y - np.float32(AXIS - 0.11)) - np.float32(0.05) - np.float32(0.07) * along,
                     np.maximum(x + np.float32(0.8), -x - np.float32(0.98)))  # fmt: skip
    brush.paint(cup, "light", bevel=0.06, gloss=gloss, outline=0.8)
    for angle in (0.55, 2.2, 3.9):
        place = (cx + radius * np.cos(angle), cy - lower + radius * np.sin(angle))
        brush.paint(shapes.circle(x, y, *place, 0.085), "accent", bevel=0.07, gloss=gloss, outline=0.8)
    return stage.settle(brush)


def _pipe(brush: Brush, middle: ndarray, half: float, gloss: float) -> None:
    """A round tube along the zero line of a distance field."""
    across = np.clip(middle / np.float32(half), -0.95, 0.95)
    gy, gx = np.gradient(middle)
    steep = across / (np.hypot(gx, gy) + np.float32(1e-6))
    brush.paint(np.abs(middle) - np.float32(half), "body", normal=(gx * steep, gy * steep), gloss=gloss, outline=0.9)


def _flare(stage: Stage, swell: float) -> Brush:
    instance = stage.body.instance
    brush = stage.still((-0.4, -0.95, 1.05, 0.5))
    x, y = brush.x, brush.y
    wide = between(instance, 2, 0.4, 0.46) * (1 + 0.32 * swell)
    gloss = 0.3 + 0.8 * instance.gloss
    place = np.linspace(0, 1, 24)
    halves = (0.06 + 0.12 * place + (wide - 0.18) * place ** between(instance, 3, 3.0, 4.5)).astype(np.float32)
    knots = (NECK + (MOUTH - NECK) * place).astype(np.float32)
    axial = y - np.float32(AXIS)
    half = shapes.half_width(x + 0 * y, knots, halves)
    cone = np.maximum((np.abs(axial) - half) * np.float32(0.75), np.maximum(NECK - x, x - np.float32(MOUTH)))
    opening = shapes.ellipse(x, y, MOUTH, AXIS, 0.17 + 0.04 * swell, wide)
    across = np.clip(axial / half, -0.95, 0.95)
    normal = (np.float32(-0.25), across * np.float32(0.9))
    grain = texture.brushed(y, x, stage.body.texture_seed, 0.08)
    brush.paint(np.minimum(cone, opening), "body", grain=grain, normal=normal, gloss=gloss, outline=0.8)
    for level, thick, role in (
        (-0.2, 0.045, "accent"),
        (0.1, 0.025, "light"),
        (0.5, 0.02, "dark"),
        (0.56, 0.03, "accent"),
    ):
        bend = np.float32(0.06) * np.sqrt(np.maximum(1 - across**2, 0))
        band = np.maximum(np.abs(x - np.float32(level) + bend) - np.float32(thick), cone)
        brush.paint(band, role, normal=normal, gloss=gloss * 0.5, outline=0.0)
    _opening(brush, opening, gloss)
    return brush


def _opening(brush: Brush, opening: ndarray, gloss: float) -> None:
    """The mouth: a rolled rim round a dark throat that lightens towards its edge."""
    brush.paint(opening, "second", bevel=0.05, gloss=gloss, outline=0.8)
    inner = opening + np.float32(0.05)
    brush.paint(inner, "body", grain=0.55, outline=0.0)
    brush.paint(opening + np.float32(0.1), "dark", outline=0.0)


def _draw(stage: Stage) -> list[Part]:
    brushes = [_flare(stage, swell) for swell in np.linspace(0, 1, SWELLS)]
    shown = np.round(loudness(stage.times, stage.events) * (SWELLS - 1)).astype(np.int64)
    flare = Part(brushes[0].row, brushes[0].column, np.stack([brush.rgba for brush in brushes]), shown)
    return [_coil(stage), flare]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    factors = np.array(RATIOS)[tune(source.instance, len(events), len(RATIOS))]
    gloss = source.instance.gloss
    return blown(source, events, samples, factors=factors.tolist(), loudness=loudness, bright=gloss)


KIND = Kind(
    name="horn",
    group="blown",
    synonyms=("horn", "hunting horn", "bugle"),
    sounds=("blares", "toots", "sounds a call"),
    rhythm="strokes",
    pitch_range_hz=(95.0, 760.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
)
