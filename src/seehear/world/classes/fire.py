"""Fire: tongues of flame over crossed logs in a ring of stones; crackles over low noise.

The number of sparks and of cracks is one and the same rate.
"""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Part, Stage
from seehear.world.painting.motion import active
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.crackle import burning
from seehear.world.streams import stream

HEARTH_Y, TOP_Y = 0.52, -0.95
TONGUES = 5
LOW, RISE_HZ = 0.72, 1.6  # height of the calm flames; how fast their ripples rise, units per second
SPARKS_AT_FULL_RATE = 40


def _extent(_: Instance) -> Extent:
    return (-0.92, -0.74, 0.92, 0.96)


def _rate(instance: Instance) -> float:
    return between(instance, 0, 0.0, 1.0)


def _stones(brush: Brush, stage: Stage, front: bool) -> None:
    """The ring of stones, its far or its near half."""
    rng = stream(stage.body.instance.seed, "stones", int(front))
    turns = np.linspace(0.25, np.pi - 0.25, 6) if front else np.linspace(np.pi, 2 * np.pi, 6)
    for turn in turns:
        cx, cy = 0.76 * np.cos(turn), HEARTH_Y + 0.12 + 0.17 * np.sin(turn)
        u, v = shapes.rotate(brush.x, brush.y, rng.uniform(-0.3, 0.3), cx, cy)
        stone = shapes.box(u, v, cx, cy, rng.uniform(0.12, 0.16), rng.uniform(0.085, 0.115), 0.08)
        grain = texture.speckle(brush.x, brush.y, stage.body.texture_seed + 1, 40, 0.16)
        brush.paint(stone, "second", grain=grain, bevel=0.09, outline=0.9)


def _log(brush: Brush, stage: Stage, start: tuple[float, float], stop: tuple[float, float]) -> None:
    """A log with bark and a sawn end with rings."""
    x, y = brush.x, brush.y
    turn = float(np.arctan2(stop[1] - start[1], stop[0] - start[0]))
    u, v = shapes.rotate(x, y, turn, *start)
    bark = texture.wood(v, u, stage.body.texture_seed + 3, rings=9, strength=0.35)
    brush.paint(shapes.capsule(x, y, start, stop, 0.115), "body", grain=bark, bevel=0.11, outline=0.9)
    for radius, role in ((0.115, "dark"), (0.095, "light"), (0.06, "body"), (0.035, "light")):
        end = shapes.ellipse(u - np.float32(start[0]), v - np.float32(start[1]), 0, 0, radius * 0.72, radius)
        brush.paint(end, role, outline=0.0)


def _behind(stage: Stage) -> Part:
    brush = stage.still((-0.96, 0.1, 0.96, 0.96))
    _stones(brush, stage, front=False)
    ash = shapes.ellipse(brush.x, brush.y, 0, HEARTH_Y + 0.1, 0.7, 0.18)
    brush.paint(ash, "dark", grain=texture.speckle(brush.x, brush.y, stage.body.texture_seed, 40, 0.5), outline=0.0)
    lean = between(stage.body.instance, 1, 0.2, 0.3)
    _log(brush, stage, (0.68, HEARTH_Y + 0.04), (-0.3, HEARTH_Y - lean))
    _log(brush, stage, (-0.68, HEARTH_Y + 0.04), (0.3, HEARTH_Y - lean))
    return stage.settle(brush)


def _before(stage: Stage) -> Part:
    brush = stage.still((-0.96, 0.3, 0.96, 0.96))
    lean = between(stage.body.instance, 2, -0.05, 0.05)
    _log(brush, stage, (-0.38, HEARTH_Y + 0.14 + lean), (0.4, HEARTH_Y + 0.14 - lean))
    _stones(brush, stage, front=True)
    return stage.settle(brush)


def _flames(stage: Stage, level: ndarray, clock: ndarray) -> Part:
    """Tongues that sway, lick and ripple; bright at the heart. `clock` stands still while the fire is silent."""
    rng = stream(stage.body.texture_seed, "flames")
    brush = stage.still((-0.64, TOP_Y - 0.1, 0.64, HEARTH_Y + 0.1))
    x, y = brush.x, brush.y
    above = (np.float32(HEARTH_Y + 0.1) - y)[None]
    drift = (RISE_HZ * clock).astype(np.float32)[:, None, None]
    ripple = texture.noise(x[None] * np.ones_like(drift), y[None] + drift, 26, 16, stage.body.texture_seed)
    waved = x[None] + np.float32(0.035) * ripple * np.clip(above, 0, 1)
    heat = np.full(waved.shape, -1, np.float32)
    for k, place in enumerate(np.linspace(-0.42, 0.42, TONGUES)):
        lick = _flicker(rng, clock, 2.0, 5.0)
        tall = (1.5 - 1.7 * abs(place) - 0.25 * (k % 2)) * (LOW + (1 - LOW) * level) * (1 + 0.22 * lick)
        sway = (0.2 * _flicker(rng, clock, 0.8, 2.5) - 0.25 * place).astype(np.float32)[:, None, None]
        share = above / tall.astype(np.float32)[:, None, None]
        inside = np.clip(share, 0, 1)
        width = np.float32(rng.uniform(0.34, 0.42)) * np.sqrt(inside + np.float32(0.12)) * (1 - share)
        off = np.abs(waved - np.float32(place) - sway * inside * inside)
        np.maximum(heat, (width - off) * np.float32(4), out=heat)
    heat = np.where(above > 0, heat, -1)
    cover = np.clip(heat * np.float32(brush.density / 6) + np.float32(0.5), 0, 1)
    return Part(brush.row, brush.column, _glow(stage, heat, cover), np.arange(len(clock)))


def _glow(stage: Stage, heat: ndarray, cover: ndarray) -> ndarray:
    """Premultiplied RGBA `[T, h, w, 4]`: accent at the rim, then brighter, light at the heart."""
    rgba = np.empty((*heat.shape, 4), np.float32)
    middle = np.clip((heat - np.float32(0.2)) * np.float32(4), 0, 1)
    core = np.clip((heat - np.float32(0.56)) * np.float32(5), 0, 1)
    rim, light = stage.colours["accent"], stage.colours["light"]
    warm = 0.75 * rim / rim.max() + 0.4 * light
    for channel in range(3):
        colour = rim[channel] * np.float32(0.9) + (warm[channel] - rim[channel] * np.float32(0.9)) * middle
        colour += (np.float32(1.12) - colour) * core
        rgba[..., channel] = colour * cover
    rgba[..., 3] = cover
    return rgba


def _flicker(rng: np.random.Generator, clock: ndarray, slow_hz: float, fast_hz: float) -> ndarray:
    """A restless number in -1 to 1 for each time of a clock."""
    one, other = rng.uniform(slow_hz, fast_hz, 2)
    phases = rng.uniform(0, 2 * np.pi, 2)
    return 0.6 * np.sin(2 * np.pi * one * clock + phases[0]) + 0.4 * np.sin(2 * np.pi * other * clock + phases[1])


def _sparks(stage: Stage, level: ndarray) -> Part:
    """Sparks that rise from the flames and fade, more with the rate of cracks."""
    rng = stream(stage.body.texture_seed, "sparks")
    brush = stage.still((-0.66, -1.0, 0.66, 0.35))
    alpha = np.zeros((len(stage.times), *brush.x.shape), np.float32)
    radius = max(0.02, 0.55 / brush.density)
    for _ in range(3 + int(SPARKS_AT_FULL_RATE * _rate(stage.body.instance))):
        age = (stage.times * rng.uniform(0.7, 1.4) + rng.uniform()) % 1.0
        x0, drift, top = rng.uniform(-0.35, 0.35), rng.uniform(-0.3, 0.3), rng.uniform(-0.98, -0.4)
        columns, rows = stage.to_picture(x0 + drift * age**1.5, 0.3 + (top - 0.3) * age)
        bright = np.clip(3 * (1 - age), 0, 1) * level
        _splat(alpha, rows - brush.row - 0.5, columns - brush.column - 0.5, bright * min(1.0, radius * brush.density))
    rgba = alpha[..., None] * np.append(stage.colours["light"] * np.float32(1.2), np.float32(1))
    return Part(brush.row, brush.column, rgba.astype(np.float32), np.arange(len(stage.times)), in_mask=False)


def _splat(alpha: ndarray, rows: ndarray, columns: ndarray, bright: ndarray) -> None:
    """Add one dot per frame, shared between the four nearest pixels."""
    frame = np.arange(len(alpha))
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    for dr in (0, 1):
        for dc in (0, 1):
            row, column = top + dr, left + dc
            seen = (row >= 0) & (row < alpha.shape[1]) & (column >= 0) & (column < alpha.shape[2])
            share = (1 - np.abs(rows - row)) * (1 - np.abs(columns - column)) * bright * 1.8
            place = frame[seen], row[seen], column[seen]
            alpha[place] = np.minimum(alpha[place] + share[seen], 1)


def _draw(stage: Stage) -> list[Part]:
    level = active(stage.times, stage.events, 0.25)
    step = np.diff(stage.times, prepend=stage.times[:1])
    return [_behind(stage), _flames(stage, level, np.cumsum(level * step)), _before(stage), _sparks(stage, level)]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    return burning(source, events, samples, rate=_rate(source.instance))


KIND = Kind(
    name="fire",
    group="weather",
    synonyms=("fire", "campfire", "log fire"),
    sounds=("crackles", "burns and pops", "roars softly"),
    rhythm="continuous",
    pitch_range_hz=(700.0, 4_500.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
)
