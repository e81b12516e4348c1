"""Candle: it burns beside a rubber blower; squeezed, the blower puffs the flame out, and a little smoke rises."""

import numpy as np
from numpy import ndarray

from seehear.world.interactions.states import CHANGE, CONTACT, Action, of_kind, painted, since_change
from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes
from seehear.world.painting.canvas import Brush, Part, Stage
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.bursts import bursting
from seehear.world.sounds.modal import struck

RATIOS, WEIGHTS = (1.0, 1.4, 2.3), (1.0, 0.5, 0.3)
CANDLE_X, WICK_Y = -0.42, -0.32
BULB = (0.5, 0.52)
SQUEEZE_SECONDS, SMOKE_SECONDS, STEPS = 0.25, 1.2, 8
LEAN_SECONDS = 0.09  # the flame bends away and is gone


def _extent(_: Instance) -> Extent:
    return (-0.95, -0.95, 0.95, 1.0)


def _stick(stage: Stage) -> Part:
    brush = stage.still((-0.96, -0.5, 0.96, 1.0))
    x, y = brush.x, brush.y
    thick = between(stage.body.instance, 0, 0.16, 0.22)
    brush.paint(shapes.box(x, y, 0, 0.93, 0.93, 0.05, 0.03), "second", bevel=0.04, outline=0.8)
    brush.paint(shapes.ellipse(x, y, CANDLE_X, 0.82, 0.42, 0.1), "dark", gloss=0.5, outline=0.6)
    wax = shapes.box(x, y, CANDLE_X, (WICK_Y + 0.08 + 0.82) / 2, thick, (0.82 - WICK_Y - 0.08) / 2, 0.05)
    nx = np.clip((x - np.float32(CANDLE_X)) / np.float32(thick), -0.95, 0.95)
    brush.paint(wax, "body", normal=(nx * np.float32(0.9), 0.0), gloss=0.2, outline=0.7)
    for side, low in ((-0.6, 0.12), (0.35, 0.02)):
        drip = shapes.capsule(x, y, (CANDLE_X + side * thick, WICK_Y + 0.12), (CANDLE_X + side * thick, low), 0.035)
        brush.paint(drip, "body", grain=1.2, outline=0.4)
    brush.paint(shapes.capsule(x, y, (CANDLE_X, WICK_Y + 0.1), (CANDLE_X, WICK_Y), 0.026), "dark", outline=0.0)
    return stage.settle(brush)


def _flame(brush: Brush, lean: float) -> None:
    """A flame that leans by 0 (upright) to 1 (blown flat); 2 is none."""
    if lean >= 2:
        return
    u, v = shapes.rotate(brush.x, brush.y, -1.2 * lean, CANDLE_X, WICK_Y)
    u, up = u - np.float32(CANDLE_X), np.float32(WICK_Y + 0.06) - v
    for long, wide, role, opacity in ((0.62, 0.17, "accent", 1.0), (0.4, 0.095, "light", 1.0)):
        share = np.clip(up / np.float32(long), 0, 1)
        half = np.float32(wide) * np.sqrt(share) * (1 - share) * np.float32(2.6)
        body = np.maximum((np.abs(u) - half) * np.float32(0.7), np.maximum(-up, up - np.float32(long)))
        brush.paint(body.astype(np.float32), role, grain=1.3, outline=0.0, opacity=opacity)


def _halo(brush: Brush, lean: float) -> None:
    if lean < 1:
        for radius, opacity in ((0.5, 0.16), (0.34, 0.2)):
            disc = shapes.circle(brush.x, brush.y, CANDLE_X, WICK_Y - 0.18, radius)
            brush.paint(disc, "light", grain=1.2, outline=0.0, opacity=opacity)


def _smoke(brush: Brush, age: float) -> None:
    """A wavering thread of smoke that rises and thins; none at 0 and at 1."""
    if not 0 < age < 1:
        return
    rise = np.float32(WICK_Y) - brush.y
    wave = np.float32(0.09) * np.sin(rise * 9 - np.float32(age * 9)) * np.clip(rise * 3, 0, 1)
    thread = np.abs(brush.x - np.float32(CANDLE_X) - wave) - np.float32(0.035 + 0.05 * age)
    thread = np.maximum(thread, np.maximum(-rise, rise - np.float32(min(0.62, 0.2 + 1.2 * age))))
    brush.paint(thread, "light", outline=0.0, opacity=0.85 * (1 - age))


def _blower(brush: Brush, squeezed: float) -> None:
    x, y = brush.x, brush.y
    tip = (CANDLE_X + 0.34, WICK_Y - 0.02)
    brush.paint(shapes.capsule(x, y, (BULB[0] - 0.12, BULB[1] - 0.25), tip, 0.045), "dark", gloss=0.5, outline=0.5)
    brush.paint(shapes.capsule(x, y, (BULB[0] - 0.1, BULB[1] - 0.2), (BULB[0] - 0.2, BULB[1] - 0.38), 0.1), "accent",
                outline=0.8)  # fmt: skip
    flat = 0.36 - 0.12 * squeezed
    bulb = shapes.ellipse(x, y, BULB[0], BULB[1] + 0.36 - flat, 0.36 + 0.06 * squeezed, flat)
    brush.paint(bulb, "accent", bevel=0.25, gloss=0.5, outline=0.8)


def _draw(stage: Stage) -> list[Part]:
    since = since_change(stage)
    lean = np.where(since < 0, 0.0, np.where(since < LEAN_SECONDS, 1.0, 2.0))
    age = np.ceil(np.clip((since - LEAN_SECONDS) / SMOKE_SECONDS, 0, 1) * STEPS) / STEPS
    squeezed = ((since >= 0) & (since < SQUEEZE_SECONDS)).astype(float)
    halo = painted(stage, (-0.96, -1.0, 0.15, 0.05), np.minimum(lean, 1), _halo)
    smoke = painted(stage, (-0.8, -1.0, -0.1, -0.2), age, _smoke)
    halo.in_mask = smoke.in_mask = False
    flame = painted(stage, (-0.96, -1.0, 0.05, -0.2), lean, _flame)
    blower = painted(stage, (-0.2, -0.45, 0.96, 0.95), squeezed, _blower)
    return [halo, _stick(stage), smoke, flame, blower]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    puff = bursting(source, of_kind(events, CHANGE), samples, centre_hz=3 * source.pitch_hz, loss=0.9,
                    decay_seconds=0.07, hold_seconds=0.12)  # fmt: skip
    pat = struck(source, of_kind(events, CONTACT), samples, RATIOS, WEIGHTS, loss=0.12, contact_seconds=0.005)
    return puff + pat


def _touched(_: Instance, __: str) -> tuple[float, float]:
    return (BULB[0] + 0.05, BULB[1] - 0.05)


ACTION = Action("blow out", ("burning", "out"), _touched, change_seconds=LEAN_SECONDS)

KIND = Kind(
    name="candle",
    group="household",
    synonyms=("candle", "burning candle"),
    sounds=("is puffed out", "is blown out"),
    rhythm="impacts",
    pitch_range_hz=(180.0, 720.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
    crest=20.0,
)
