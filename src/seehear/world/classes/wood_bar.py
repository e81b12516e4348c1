"""Wood bar: graded planks with grain and pegs on a stand, struck by a mallet; free-bar partials, heavy damping."""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.painting.motion import lift, still
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.modal import struck

RATIOS = (1.0, 2.756, 5.404, 8.933)  # free bar
WEIGHTS = (1.0, 0.55, 0.3, 0.15)
MIDDLE = 0.22


def _extent(_: Instance) -> Extent:
    return (-1.0, -0.85, 1.0, 1.0)


def _planks(instance: Instance) -> list[tuple[float, float, float]]:
    """Middle x, half-width and half-length of each plank, longest first."""
    count = 4 + int(between(instance, 0, 0, 2.99))
    taper = between(instance, 1, 0.5, 0.75)
    pitch = 1.84 / count
    lengths = np.linspace(1, taper, count) * between(instance, 2, 0.62, 0.72)
    return [(-0.92 + pitch * (k + 0.5), pitch * 0.4, float(length)) for k, length in enumerate(lengths)]


def _struck_plank(instance: Instance) -> int:
    return int(between(instance, 3, 0, 0.999) * len(_planks(instance)))


def _stand(brush: Brush, planks: list[tuple[float, float, float]]) -> None:
    first, last = planks[0][2], planks[-1][2]
    for sign in (-1, 1):
        start = (-1.0, MIDDLE + sign * first * 0.6)
        stop = (1.0, MIDDLE + sign * last * 0.6)
        brush.paint(shapes.capsule(brush.x, brush.y, start, stop, 0.05), "dark")


def _bars(stage: Stage) -> Part:
    brush = stage.still((-1.05, -0.6, 1.05, 1.02))
    x, y = brush.x, brush.y
    planks = _planks(stage.body.instance)
    _stand(brush, planks)
    gloss = 0.5 * stage.body.instance.gloss
    for k, (middle, half, length) in enumerate(planks):
        plank = shapes.box(x, y, middle, MIDDLE, half, length, 0.03)
        grain = texture.wood(x, y, stage.body.texture_seed + 911 * k, rings=9.0, strength=0.25)
        brush.paint(plank, "body", grain=grain, bevel=0.06, gloss=gloss, outline=0.75)
        for sign in (-1, 1):
            brush.paint(shapes.circle(x, y, middle, MIDDLE + sign * length * 0.6, 0.045), "dark", outline=0.0)
            brush.paint(shapes.circle(x, y, middle - 0.01, MIDDLE + sign * length * 0.6 - 0.01, 0.02), "light",
                        outline=0.0)  # fmt: skip
    return stage.settle(brush)


def _mallet(stage: Stage) -> tuple[Brush, tuple[float, float]]:
    planks = _planks(stage.body.instance)
    middle = planks[_struck_plank(stage.body.instance)][0]
    reach = -0.8 if middle > 0 else 0.8
    grip = (middle + reach, -0.72)
    head = 0.11 + 0.06 * _softness(stage.body.instance)
    brush = stage.sprite((min(middle, grip[0]) - 0.2, -0.8, max(middle, grip[0]) + 0.2, MIDDLE + 0.2))
    x, y = brush.x, brush.y
    brush.paint(shapes.capsule(x, y, grip, (middle, MIDDLE), 0.035), "light")
    u, v = x - np.float32(middle), y - np.float32(MIDDLE)
    thread = 1 + np.float32(0.3) * np.sign(np.sin((u + v) * np.float32(45)) * np.sin((u - v) * np.float32(45)))
    brush.paint(np.hypot(u, v) - np.float32(head), "accent", grain=thread, bevel=0.12, outline=0.8)
    return brush, grip


def _softness(instance: Instance) -> float:
    return between(instance, 4, 0.0, 1.0)


def _draw(stage: Stage) -> list[Part]:
    brush, grip = _mallet(stage)
    direction = 1.0 if grip[0] > 0 and brush.x[0, 0] < grip[0] - 0.5 else -1.0
    turn = 0.4 * direction * lift(stage.times, stage.events)
    return [_bars(stage), stage.move(brush, Motion(grip, turn, still(len(stage.times))))]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    loss = 0.05 * 0.4**source.instance.gloss
    contact = 0.0004 + 0.0014 * _softness(source.instance)
    planks = _planks(source.instance)
    ratio = planks[len(planks) // 2][2] / planks[_struck_plank(source.instance)][2]
    return struck(source, events, samples, RATIOS, WEIGHTS, loss=loss, contact_seconds=contact, transpose=ratio)


KIND = Kind(
    name="wood bar",
    group="struck",
    synonyms=("wood bar", "xylophone", "row of wooden planks"),
    sounds=("knocks", "clacks", "is played"),
    rhythm="impacts",
    pitch_range_hz=(140.0, 1120.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
)
