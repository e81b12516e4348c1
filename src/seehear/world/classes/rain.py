"""Rain: streaks over a tiled roof with gutter and a puddle of rings; bubbles on a noise floor.

The number of streaks and of bubbles is one and the same rate.
"""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Part, Stage
from seehear.world.painting.motion import active
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.bubbles import raining
from seehear.world.streams import stream

PUDDLE_Y, RINGS_AT_FULL_RATE, STREAKS_AT_FULL_RATE = 0.8, 9, 90


def _extent(_: Instance) -> Extent:
    return (-0.98, -0.9, 0.98, 1.0)


def _roof(stage: Stage) -> Part:
    instance = stage.body.instance
    brush = stage.still((-1.02, -0.95, 1.02, 1.02))
    x, y = brush.x, brush.y
    eaves, ridge = 0.22, -0.82
    half = between(instance, 0, 0.5, 0.72) + (0.94 - between(instance, 0, 0.5, 0.72)) * (y - ridge) / (eaves - ridge)
    roof = np.maximum((np.abs(x) - half.astype(np.float32)) * np.float32(0.9), np.maximum(ridge - y, y - eaves))
    _wall(brush, stage)
    rows = between(instance, 1, 4.6, 6.4)
    tiles = texture.scales(x, y - np.float32(ridge), between(instance, 2, 3.6, 5.0), rows)
    grain = tiles * texture.speckle(x, y, stage.body.texture_seed, 60, 0.08)
    brush.paint(roof, "body", grain=grain, normal=(0.0, np.float32(-0.3)), gloss=0.3 * instance.gloss)
    ridge_tile = shapes.capsule(x, y, (-float(half.min()), ridge), (float(half.min()), ridge), 0.07)
    brush.paint(ridge_tile, "second", bevel=0.07, outline=0.8)
    brush.paint(shapes.capsule(x, y, (-0.93, eaves + 0.03), (0.93, eaves + 0.03), 0.055), "second", outline=0.8)
    brush.paint(shapes.capsule(x, y, (0.78, eaves + 0.05), (0.78, 0.66), 0.05), "second", bevel=0.05, outline=0.8)
    return stage.settle(brush)


def _wall(brush: Brush, stage: Stage) -> None:
    x, y = brush.x, brush.y
    grain = texture.speckle(x, y, stage.body.texture_seed + 9, 30, 0.1)
    brush.paint(shapes.box(x, y, 0, 0.42, 0.74, 0.26), "second", grain=grain, bevel=0.02)
    puddle = shapes.ellipse(x, y, 0, PUDDLE_Y, 0.95, 0.2)
    brush.paint(puddle, "dark", outline=0.4, gloss=0.2)


def _puddle(stage: Stage) -> Part:
    """Growing rings on the puddle, faster with the rate."""
    rng = stream(stage.body.texture_seed, "rings")
    brush = stage.still((-0.95, PUDDLE_Y - 0.2, 0.95, PUDDLE_Y + 0.2))
    x, y = brush.x, brush.y
    rate = _rate(stage.body.instance)
    level = active(stage.times, stage.events, 0.3) if stage.events else np.zeros(len(stage.times))
    cover = np.clip(0.5 - shapes.ellipse(x, y, 0, PUDDLE_Y, 0.92, 0.18) * np.float32(brush.density), 0, 1)
    total = np.zeros((len(stage.times), *x.shape), np.float32)
    for _ in range(2 + int(RINGS_AT_FULL_RATE * rate)):
        cx, cy = rng.uniform(-0.75, 0.75), PUDDLE_Y + rng.uniform(-0.11, 0.11)
        age = (stage.times * rng.uniform(1.2, 2.0) + rng.uniform()) % 1.0
        reach = np.hypot(x - np.float32(cx), (y - np.float32(cy)) * 3)
        radius = (0.05 + 0.22 * age).astype(np.float32)[:, None, None]
        ring = np.clip(1 - np.abs(reach - radius) * np.float32(16), 0, 1)
        total = np.maximum(total, ring * ((1 - age) * level).astype(np.float32)[:, None, None])
    alpha = total * cover
    rgba = np.concatenate([alpha[..., None] * stage.colours["light"], alpha[..., None]], axis=-1)
    return Part(brush.row, brush.column, rgba, np.arange(len(stage.times)))


def _streaks(stage: Stage) -> Part:
    """Falling streaks over the whole picture: one tall periodic sheet, scrolled."""
    rng = stream(stage.body.texture_seed, "streaks")
    rate = _rate(stage.body.instance)
    count = int((12 + STREAKS_AT_FULL_RATE * rate) * 1.5)
    rows, columns = np.arange(2 * stage.height), np.arange(stage.width)
    sheet = np.zeros((2 * stage.height, stage.width), np.float32)
    slant = rng.uniform(-0.18, 0.18)
    for _ in range(count):
        length = stage.height * rng.uniform(0.07, 0.16)
        top, left = int(rng.integers(2 * stage.height)), rng.uniform(0, stage.width)
        own = (top + np.arange(int(length))) % len(rows)
        place = left + slant * np.arange(int(length))
        near = np.clip(1.1 - np.abs(columns[None] - place[:, None]), 0, 1)
        sheet[own] = np.maximum(sheet[own], near * rng.uniform(0.5, 0.9))
    fall = (stage.times * stage.height * rng.uniform(2.2, 3.0)).astype(int)
    offset = rng.integers(2 * stage.height)
    level = active(stage.times, stage.events, 0.3) if stage.events else np.zeros(len(stage.times))
    index = (np.arange(stage.height)[None] - fall[:, None] + offset) % len(rows)
    alpha = sheet[index] * level.astype(np.float32)[:, None, None]
    rgba = np.concatenate([alpha[..., None] * stage.colours["light"], alpha[..., None]], axis=-1)
    return Part(0, 0, rgba, np.arange(len(stage.times)), in_mask=False)


def _rate(instance: Instance) -> float:
    return between(instance, 3, 0.0, 1.0)


def _draw(stage: Stage) -> list[Part]:
    return [_roof(stage), _puddle(stage), _streaks(stage)]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    return raining(source, events, samples, rate=_rate(source.instance))


KIND = Kind(
    name="rain",
    group="weather",
    synonyms=("rain", "rainfall", "a shower"),
    sounds=("patters", "falls on the roof", "drips"),
    rhythm="continuous",
    pitch_range_hz=(900.0, 4500.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
)
