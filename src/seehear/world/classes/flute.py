"""Flute: a keyed tube held across a face, fingers that close and open its keys, puffing cheeks; breathy tone.

How many fingers are lifted is how high the note is.
"""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.painting.motion import active
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.tunes import tune
from seehear.world.sounds.winds import fluting

LEAN = -0.32  # radians from level: the mouth end is the higher one
TUBE = 0.1
MOUTH = 0.5  # places along the tube, from its foot (-1) to its crown (0.97)
KEYS = (0.02, -0.13, -0.28, -0.5, -0.65, -0.8)
FINGER_SECONDS = 0.06
SEMITONES = (-4, -2, 0, 1, 3, 5, 7)  # by the number of lifted fingers
PUFFS = 4  # pictures of the cheeks


def _extent(_: Instance) -> Extent:
    return (-1.0, -0.945, 1.0, 0.855)


def _face(brush: Brush, stage: Stage, p: ndarray, q: ndarray) -> None:
    instance, seed = stage.body.instance, stage.body.texture_seed
    wide = between(instance, 0, 0.3, 0.36)
    middle = -0.24
    hair = shapes.ellipse(p, q, MOUTH, middle - 0.1, wide + 0.07, 0.46)
    brush.paint(hair, "accent", grain=texture.wood(p, q, seed, rings=9, strength=0.3), bevel=0.15, outline=0.7)
    brush.paint(shapes.ellipse(p, q, MOUTH, middle, wide, 0.42), "second", bevel=0.2, outline=0.7)
    fringe = np.maximum(shapes.ellipse(p, q, MOUTH, middle - 0.03, wide + 0.02, 0.43), q - np.float32(middle - 0.2)
                        - np.float32(0.05) * np.sin(p * np.float32(30)))  # fmt: skip
    brush.paint(fringe, "accent", grain=texture.wood(p, q, seed + 1, rings=9, strength=0.3), outline=0.5)
    for side in (-0.14, 0.14):
        brush.paint(shapes.ellipse(p, q, MOUTH + side, middle - 0.07, 0.07, 0.05), "light", outline=0.0)
        brush.paint(shapes.circle(p, q, MOUTH + side - 0.01, middle - 0.06, 0.042), "dark", outline=0.0)
        brush.paint(shapes.box(p, q, MOUTH + side, middle - 0.15, 0.08, 0.018), "dark", outline=0.0)
    brush.paint(
        shapes.capsule(p, q, (MOUTH + 0.02, middle), (MOUTH + 0.03, middle + 0.06), 0.03), "second", outline=0.6
    )
    brush.paint(shapes.ellipse(p, q, MOUTH, -0.11, 0.085, 0.04), "dark", outline=0.0)


def _tube(brush: Brush, stage: Stage, p: ndarray, q: ndarray) -> None:
    gloss = 0.3 + 0.8 * stage.body.instance.gloss
    nq = np.clip(q / np.float32(TUBE), -0.95, 0.95)
    tube = shapes.box(p, q, -0.015, 0, 0.985, TUBE, 0.02)
    turn = (np.sin(LEAN) * -nq, np.cos(LEAN) * nq)
    brush.paint(tube, "body", grain=texture.brushed(q, p, stage.body.texture_seed, 0.06), normal=turn, gloss=gloss,
                outline=0.8)  # fmt: skip
    for place, half in ((0.93, 0.03), (0.2, 0.045), (-0.95, 0.03)):
        brush.paint(shapes.box(p, q, place, 0, half, TUBE + 0.02, 0.01), "light", normal=turn, gloss=gloss, outline=0.6)
    brush.paint(shapes.ellipse(p, q, MOUTH, 0.0, 0.16, TUBE + 0.025), "light", bevel=0.06, gloss=gloss, outline=0.6)
    brush.paint(shapes.ellipse(p, q, MOUTH, -0.01, 0.06, 0.035), "dark", outline=0.0)
    brush.paint(shapes.box(p, q, -0.4, TUBE, 0.5, 0.016), "dark", outline=0.0)
    for place in KEYS:
        brush.paint(shapes.circle(p, q, place, -0.01, 0.085), "dark", outline=0.0)
        brush.paint(shapes.circle(p, q, place, -0.01, 0.06), "light", bevel=0.04, gloss=gloss, outline=0.0)


def _player(stage: Stage) -> Part:
    brush = stage.still((-1.05, -1.05, 1.05, 0.85))
    p, q = shapes.rotate(brush.x, brush.y, LEAN)
    _face(brush, stage, p, q)
    _tube(brush, stage, p, q)
    for first in (0, 3):
        palm = (KEYS[first] + KEYS[first + 2]) / 2
        brush.paint(
            shapes.capsule(p, q, (palm + 0.03, 0.33), (palm + 0.2, 0.62), 0.11), "second", bevel=0.1, outline=0.7
        )
        brush.paint(shapes.ellipse(p, q, palm + 0.02, 0.3, 0.23, 0.14), "second", bevel=0.12, outline=0.7)
    return stage.settle(brush)


def _finger(stage: Stage, place: float, palm: float) -> Brush:
    """One finger in the tube's frame, its tip on a key; the sprite is turned with the tube."""
    start, tip = _turned(palm + (place - palm) * 0.95, 0.27), _turned(place, -0.005)
    brush = stage.sprite((min(start[0], tip[0]) - 0.1, tip[1] - 0.1, max(start[0], tip[0]) + 0.1, start[1] + 0.1))
    x, y = brush.x, brush.y
    brush.paint(shapes.capsule(x, y, start, tip, 0.058), "second", bevel=0.06, outline=0.8)
    nail = _turned(place, 0.0)
    brush.paint(shapes.circle(x, y, *nail, 0.032), "light", outline=0.0, opacity=0.7)
    return brush


def _turned(p: float, q: float) -> tuple[float, float]:
    c, s = np.cos(LEAN), np.sin(LEAN)
    return float(c * p - s * q), float(s * p + c * q)


def _lifted(stage: Stage) -> ndarray:
    """How far each finger is from its key `[6, T]`: all rest on their keys before the first note."""
    count = np.zeros(len(stage.times))
    for event, step in zip(stage.events, _steps(stage.body.instance, stage.events), strict=True):
        done = np.clip((stage.times - event.start_seconds) / FINGER_SECONDS + 1, 0, 1)
        count = count + (step - count) * done
    return np.clip(count[None] - np.arange(len(KEYS))[::-1, None], 0, 1)


def _steps(instance: Instance, events: tuple[Event, ...]) -> ndarray:
    return tune(instance, len(events), len(SEMITONES))


def _cheeks(stage: Stage) -> Part:
    """Cheeks that swell with the breath, as a few pictures."""
    extent = (0.05, -0.62, 0.95, 0.12)
    pictures = []
    for puff in np.linspace(0, 1, PUFFS):
        brush = stage.still(extent)
        p, q = shapes.rotate(brush.x, brush.y, LEAN)
        for side in (-0.2, 0.2):
            cheek = shapes.circle(p, q, MOUTH + side * (1 + 0.25 * puff), -0.12, 0.075 + 0.055 * puff)
            brush.paint(cheek, "accent", bevel=0.12, outline=0.25, opacity=0.75)
        pictures.append(brush.rgba)
    level = active(stage.times, stage.events, 0.08)
    shown = np.round(level * (PUFFS - 1)).astype(np.int64)
    return Part(brush.row, brush.column, np.stack(pictures), shown)


def _draw(stage: Stage) -> list[Part]:
    parts = [_player(stage), _cheeks(stage)]
    for number, (place, away) in enumerate(zip(KEYS, _lifted(stage), strict=True)):
        first = number // 3 * 3
        palm = (KEYS[first] + KEYS[first + 2]) / 2
        shift = np.outer(away, _turned(0.0, 0.15))
        brush = _finger(stage, place, palm)
        parts.append(stage.move(brush, Motion((0, 0), np.zeros(len(away)), shift)))
    return parts


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    factors = 2 ** (np.array(SEMITONES)[_steps(source.instance, events)] / 12)
    breath = between(source.instance, 1, 0.0, 1.0)
    return fluting(source, events, samples, factors=factors.tolist(), breath=breath, bright=source.instance.gloss)


KIND = Kind(
    name="flute",
    group="blown",
    synonyms=("flute", "fife", "piccolo"),
    sounds=("is blown softly", "plays an airy tune", "whistles"),
    rhythm="strokes",
    pitch_range_hz=(220.0, 1760.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
)
