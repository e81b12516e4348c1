"""Fan: turning blades in a round wire cage on a stand; noise whose strength beats with the passing blades.

The blades' speed is the rate of the beats divided by a fixed ratio, and larger fans run slower.
"""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.painting.motion import active, still
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.blades import blowing

HUB = (0.0, -0.27)
CAGE = 0.7
POSES_PER_BLADE = 10
BEATS_PER_DRAWN = 6.0  # the drawn blades are geared down, so that their turning is not blurred by the frame rate


def _extent(_: Instance) -> Extent:
    return (-0.73, -1.0, 0.73, 1.0)


def _blades(instance: Instance) -> int:
    return 3 + int(between(instance, 0, 0, 2.99))


def _stand(stage: Stage) -> Part:
    instance, seed = stage.body.instance, stage.body.texture_seed
    brush = stage.still((-0.8, -1.05, 0.8, 1.05))
    x, y = brush.x, brush.y
    gloss = 0.15 + 0.5 * instance.gloss
    nx = np.clip(x / np.float32(0.09), -0.95, 0.95)
    brush.paint(shapes.box(x, y, 0, 0.6, 0.085, 0.3, 0.02), "second", normal=(nx, 0.0), gloss=gloss, outline=0.7)
    brush.paint(shapes.ellipse(x, y, 0, 0.88, between(instance, 1, 0.42, 0.56), 0.12), "second", bevel=0.1, gloss=gloss,
                grain=texture.speckle(x, y, seed, 60, 0.06), outline=0.8)  # fmt: skip
    brush.paint(shapes.ellipse(x, y, 0, 0.8, 0.2, 0.06), "second", bevel=0.05, gloss=gloss, outline=0.7)
    for place in (-0.24, 0.24):
        brush.paint(shapes.ellipse(x, y, place, 0.89, 0.06, 0.035), "light", outline=0.5)
    brush.paint(shapes.circle(x, y, *HUB, CAGE), "dark", outline=0.0, opacity=0.6)
    brush.paint(shapes.circle(x, y, *HUB, 0.24), "second", bevel=0.1, outline=0.7)
    return stage.settle(brush)


def _rotor(stage: Stage) -> Brush:
    """Paddle-shaped blades, each lit on its leading half and dark along its trailing edge."""
    instance, count = stage.body.instance, _blades(stage.body.instance)
    (cx, cy), reach = HUB, CAGE - 0.07
    brush = stage.sprite((cx - CAGE, cy - CAGE, cx + CAGE, cy + CAGE))
    x, y = brush.x - np.float32(cx), brush.y - np.float32(cy)
    radius = np.hypot(x, y) + np.float32(1e-6)
    sweep = between(instance, 2, 0.25, 0.6)
    around = np.arctan2(y, x) + np.float32(sweep) * radius / np.float32(reach)
    spacing = 2 * np.pi / count
    offset = np.mod(around, np.float32(spacing)) - np.float32(spacing / 2)
    share = np.clip(radius / np.float32(reach), 0, 1)
    half = np.float32(spacing / 2 * between(instance, 3, 0.56, 0.72)) * (np.float32(0.55) + np.float32(0.45) * share)
    across = offset / half
    rounded = np.float32(reach) - np.float32(0.14) * across**2
    blade = np.maximum((np.abs(across) - 1) * half * radius, radius - rounded)
    normal = (across * np.float32(0.55) * -y / radius, across * np.float32(0.55) * x / radius)
    brush.paint(blade, "body", normal=normal, grain=1.05 - 0.25 * across, gloss=0.3 * instance.gloss, outline=0.8)
    return brush


def _cage(stage: Stage) -> Part:
    """The front grille: rings and wires, bright above a dark edge, and the cap in the middle."""
    instance = stage.body.instance
    (cx, cy), gloss = HUB, 0.2 + 0.5 * instance.gloss
    brush = stage.still((cx - 0.8, cy - 0.8, cx + 0.8, cy + 0.8))
    x, y = brush.x, brush.y
    wires = 8 + 2 * int(between(instance, 4, 0, 2.99))
    radius = np.hypot(x - np.float32(cx), y - np.float32(cy))
    around = np.arctan2(y - np.float32(cy), x - np.float32(cx)) * np.float32(wires / (2 * np.pi))
    beside = np.abs(around - np.floor(around) - np.float32(0.5)) * radius * np.float32(2 * np.pi / wires)
    wire = np.maximum(beside - np.float32(0.012), radius - np.float32(CAGE))
    brush.paint(wire, "light", outline=0.0, opacity=0.8)
    for share in (0.45, 0.73):
        brush.paint(shapes.ring(x, y, cx, cy, CAGE * share, 0.026), "light", outline=0.0, opacity=0.8)
    brush.paint(shapes.ring(x, y, cx, cy, CAGE, 0.1), "accent", bevel=0.05, gloss=gloss, outline=0.8)
    brush.paint(shapes.circle(x, y, cx, cy, 0.15), "accent", bevel=0.1, gloss=gloss, outline=0.8)
    brush.paint(shapes.circle(x, y, cx, cy, 0.05), "light", outline=0.0)
    return stage.settle(brush)


def _draw(stage: Stage) -> list[Part]:
    count, blades = len(stage.times), _blades(stage.body.instance)
    level = active(stage.times, stage.events, 0.25)
    step = np.gradient(stage.times) if count > 1 else np.zeros(1)
    passed = np.cumsum(stage.body.pitch_hz / BEATS_PER_DRAWN * np.minimum(level * 2, 1) * step)
    pose = np.round(passed * POSES_PER_BLADE) % POSES_PER_BLADE  # a rotor looks the same after one blade's turn
    turn = pose * 2 * np.pi / (blades * POSES_PER_BLADE)
    return [_stand(stage), stage.move(_rotor(stage), Motion(HUB, turn, still(count))), _cage(stage)]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    blades, bright = _blades(source.instance), 0.4 + 0.6 * source.instance.gloss
    return blowing(source, events, samples, blades=blades, bright=bright)


KIND = Kind(
    name="fan",
    group="machine",
    synonyms=("fan", "ventilator", "table fan"),
    sounds=("blows", "whirrs", "hums and flutters"),
    rhythm="continuous",
    pitch_range_hz=(5.0, 40.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
)
