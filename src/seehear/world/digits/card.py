"""Card: a textured card with a handwritten digit on it, sheared a little, which drifts slowly and makes no sound.

The individual's number is the number of its image. Ink is dark on a light card or light on a dark one.

Legend: T frames.
"""

import numpy as np
from numpy import ndarray

from seehear.world.digits.images import FINE, ink
from seehear.world.kinds import Extent, Kind
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.scenes import Event, Instance, Source
from seehear.world.streams import stream

HALF, WRITTEN = 0.92, 0.8  # half sides of the card and of the image on it
SHEAR, STRETCH = 0.2, 0.12
DRIFT, TURN = 0.1, 0.07  # card halves and radians, to either side over the clip


def _extent(_: Instance) -> Extent:
    return (-1.0, -1.0, 1.0, 1.0)


def _look_up(picture: ndarray, x: ndarray, y: ndarray) -> ndarray:
    """A square picture at places -1 to 1, bilinearly; 0 outside."""
    padded = np.pad(picture, 2)
    column, row = (np.clip((v + 1) / 2 * FINE + np.float32(1.5), 0, FINE + 2.99) for v in (x, y))
    left, top = column.astype(int), row.astype(int)
    a, b = column - left, row - top
    upper = padded[top, left] * (1 - a) + padded[top, left + 1] * a
    return upper * (1 - b) + (padded[top + 1, left] * (1 - a) + padded[top + 1, left + 1] * a) * b


def _paint(stage: Stage) -> Brush:
    seed = stage.body.texture_seed
    rng = stream(seed, "card")
    brush = stage.sprite((-0.96, -0.96, 0.96, 0.96))
    x, y = brush.x, brush.y
    paper, pen = ("light", "dark") if rng.integers(2) else ("dark", "light")
    grains = (texture.wood(x, y, seed), texture.brushed(x, y, seed), texture.speckle(x, y, seed))
    grain = grains[int(rng.integers(len(grains)))]
    brush.paint(shapes.box(x, y, 0, 0, HALF, HALF, 0.1), paper, grain=grain, outline=0.6)
    shear, wide, high = rng.uniform(-SHEAR, SHEAR), *(1 + rng.uniform(-STRETCH, STRETCH, 2))
    u, v = (x + np.float32(shear) * y) / np.float32(WRITTEN * wide), y / np.float32(WRITTEN * high)
    inked = _look_up(ink(stage.body.instance.number), u, v)[..., None] * brush.rgba[..., 3:]
    brush.rgba[..., :3] = brush.rgba[..., :3] * (1 - inked) + brush.colours[pen] * inked
    return brush


def _draw(stage: Stage) -> list[Part]:
    rng = stream(stage.body.texture_seed, "drift")
    first, last = rng.uniform(-1, 1, (2, 3)) * (TURN, DRIFT, DRIFT)
    share = np.linspace(0, 1, len(stage.times))[:, None]
    path = first + share * (last - first)
    return [stage.move(_paint(stage), Motion((0, 0), path[:, 0], path[:, 1:]))]


def _voice(_: Source, __: tuple[Event, ...], samples: int) -> ndarray:
    return np.zeros(samples, np.float32)


KIND = Kind(
    name="digit",
    group="written",
    synonyms=("digit", "number", "written digit"),
    sounds=("is written", "is shown", "stands there"),
    rhythm="strokes",
    pitch_range_hz=(100.0, 400.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
)
