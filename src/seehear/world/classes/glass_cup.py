"""Glass cup: a translucent tumbler with cut facets and some water, struck by a spoon; shell partials, long ringing.

A fuller cup sounds lower, as the water's mass loads its wall.
"""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.painting.motion import lift, still
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.modal import struck

RATIOS = (1.0, 1.012, 2.32, 4.25, 6.63, 9.38)  # bending modes of a wine glass; the lowest is split in two
WEIGHTS = (1.0, 0.6, 0.7, 0.5, 0.35, 0.2)
MIDDLE, RIM, BASE, TILT = -0.26, -0.42, 0.84, 0.13  # TILT: half-height of the rim seen from above
STRUCK_Y = -0.2


def _extent(_: Instance) -> Extent:
    return (-0.94, -0.98, 0.94, 0.98)


def _walls(instance: Instance) -> tuple[float, float]:
    """Half-widths at rim and base."""
    top = between(instance, 0, 0.5, 0.62)
    return top, top * between(instance, 1, 0.66, 0.86)


def _half(instance: Instance, y: float) -> float:
    top, bottom = _walls(instance)
    return top + (bottom - top) * (y - RIM) / (BASE - RIM)


def _fill(instance: Instance) -> float:
    return between(instance, 2, 0.1, 0.75)


def _solid(brush: Brush, instance: Instance, top_y: float) -> ndarray:
    """The round body from a height down to the base, closed by an ellipse at either end."""
    top, bottom = _half(instance, top_y), _half(instance, BASE)
    knots, halves = np.array([top_y, BASE], np.float32), np.array([top, bottom], np.float32)
    body = shapes.profile(brush.x - np.float32(MIDDLE), brush.y, knots, halves)
    for y, half in ((top_y, top), (BASE, bottom)):
        body = np.minimum(body, shapes.ellipse(brush.x, brush.y, MIDDLE, y, half, TILT * half / top))
    return body


def _tumbler(stage: Stage) -> Part:
    instance = stage.body.instance
    brush = stage.still((-0.95, -0.62, 0.45, 1.0))
    x, y = brush.x, brush.y
    top, _ = _walls(instance)
    whole = _solid(brush, instance, RIM)
    brush.paint(whole, "body", bevel=0.1, outline=0.3, opacity=0.52)
    _water(brush, instance)
    _facets(brush, instance, whole)
    nx = np.clip((x - np.float32(MIDDLE)) / np.float32(top), -0.95, 0.95)
    front = np.maximum(whole, -shapes.ellipse(x, y, MIDDLE, RIM, top, TILT))
    brush.paint(front, "light", normal=(nx, 0.0), gloss=0.3, outline=0.0, opacity=0.16)
    brush.paint(np.abs(whole + np.float32(0.035)) - np.float32(0.02), "dark", outline=0.0, opacity=0.5)
    brush.paint(np.abs(whole) - np.float32(0.012), "light", outline=0.0, opacity=0.85)
    rim = shapes.ellipse(x, y, MIDDLE, RIM, top, TILT)
    brush.paint(np.abs(rim + np.float32(0.05)) - np.float32(0.02), "dark", outline=0.0, opacity=0.45)
    brush.paint(np.abs(rim) - np.float32(0.02), "light", outline=0.0)
    _reflections(brush, instance)
    return stage.settle(brush)


def _water(brush: Brush, instance: Instance) -> None:
    level = BASE - 0.2 - (BASE - 0.2 - RIM) * 0.85 * _fill(instance)
    inner = _solid(brush, instance, level)
    inside = np.maximum(inner + np.float32(0.045), brush.y - np.float32(BASE - 0.12))
    brush.paint(inside, "accent", outline=0.2, opacity=0.55)
    surface = shapes.ellipse(brush.x, brush.y, MIDDLE, level, _half(instance, level) - 0.05, TILT * 0.85)
    brush.paint(surface, "accent", grain=1.25, outline=0.0, opacity=0.6)
    brush.paint(np.abs(surface) - np.float32(0.014), "light", outline=0.0, opacity=0.7)


def _facets(brush: Brush, instance: Instance, whole: ndarray) -> None:
    """Cut flutes round the lower half, narrowing towards the sides, and the thick bottom."""
    x, y = brush.x, brush.y
    count = 5 + int(between(instance, 3, 0, 2.99))
    half = np.float32(_half(instance, 0.6))
    around = np.arcsin(np.clip((x - np.float32(MIDDLE)) / half, -0.97, 0.97)) * np.float32(count / np.pi)
    wave = np.abs(around - np.floor(around) - np.float32(0.5)) * 2
    arch = np.float32(0.3) + np.float32(0.12) * wave**2
    flute = np.maximum(np.maximum(arch - y, (wave - np.float32(0.8)) * half / count), whole + np.float32(0.06))
    brush.paint(flute, "light", outline=0.0, opacity=0.22)
    brush.paint(np.abs(flute) - np.float32(0.012), "dark", outline=0.0, opacity=0.35)
    heel = shapes.ellipse(x, y, MIDDLE, BASE - 0.04, _half(instance, BASE) * 0.86, 0.085)
    brush.paint(heel, "light", outline=0.0, opacity=0.5)
    brush.paint(np.abs(heel) - np.float32(0.015), "dark", outline=0.0, opacity=0.5)


def _reflections(brush: Brush, instance: Instance) -> None:
    x, y = brush.x, brush.y
    strong = 0.6 + 0.4 * instance.gloss
    for place, top_y, bottom_y, thick in ((-0.7, -0.22, 0.55, 0.05), (-0.5, -0.2, 0.1, 0.022), (0.74, -0.1, 0.6, 0.03)):
        start = (MIDDLE + place * _half(instance, top_y), top_y)
        stop = (MIDDLE + place * _half(instance, bottom_y), bottom_y)
        brush.paint(shapes.capsule(x, y, start, stop, thick), "light", outline=0.0, opacity=strong)


def _spoon(stage: Stage) -> tuple[Brush, tuple[float, float]]:
    bowl = (MIDDLE + _half(stage.body.instance, STRUCK_Y) + 0.15, STRUCK_Y)
    grip = (0.62, -0.98)
    brush = stage.sprite((bowl[0] - 0.3, grip[1] - 0.08, grip[0] + 0.3, bowl[1] + 0.34))
    lean = float(np.arctan2(bowl[0] - grip[0], bowl[1] - grip[1]))
    u, v = shapes.rotate(brush.x, brush.y, -lean, *bowl)
    length = float(np.hypot(bowl[0] - grip[0], bowl[1] - grip[1]))
    x0, y0 = np.float32(bowl[0]), np.float32(bowl[1])
    half = np.float32(0.048) + np.float32(0.06) * np.clip((y0 - v) / np.float32(length) - np.float32(0.45), 0, 1)
    handle = np.maximum(np.abs(u - x0) - half, np.maximum(v - y0, y0 - v - np.float32(length)))
    brush.paint(handle, "second", bevel=0.04, gloss=0.5, outline=0.6)
    brush.paint(shapes.ellipse(u, v, bowl[0], bowl[1], 0.145, 0.22), "second", bevel=0.1, gloss=0.8, outline=0.7)
    hollow = shapes.ellipse(u, v, bowl[0], bowl[1], 0.095, 0.16)
    brush.paint(hollow, "second", normal=((x0 - u) * 4, (y0 - v) * 3), grain=0.8, gloss=0.6, outline=0.0)
    return brush, grip


def _draw(stage: Stage) -> list[Part]:
    brush, grip = _spoon(stage)
    turn = -0.33 * lift(stage.times, stage.events)
    return [_tumbler(stage), stage.move(brush, Motion(grip, turn, still(len(stage.times))))]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    loss = 0.005 * 0.3**source.instance.gloss
    load = 1.12 - 0.3 * _fill(source.instance)
    return struck(
        source, events, samples, RATIOS, WEIGHTS, loss=loss, contact_seconds=0.0003, transpose=load, click=0.1,
        rayleigh_share=0.85,
    )  # fmt: skip


KIND = Kind(
    name="glass cup",
    group="struck",
    synonyms=("glass cup", "tumbler", "drinking glass"),
    sounds=("clinks", "tinkles", "pings"),
    rhythm="impacts",
    pitch_range_hz=(420.0, 3360.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
)
