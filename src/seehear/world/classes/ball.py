"""Ball: panelled, let go by a hand, bouncing on boards until it lies still; a rubber thud at each contact.

After the first contact every interval is the last one times the ball's restitution e, and every impact's energy the
last one's times e squared. Every contact is an event of its own.
"""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.bounces import contacts, thudding

FLOOR_Y, HELD_Y = 0.62, -0.4  # where the ball touches the floor, and its middle in the hand
RADIUS, VALVE = 0.36, (0.09, -0.07)
ROLL = 0.9  # radians from hand to rest: little, so that the painted light may turn along
LEFT, RIGHT = -0.25, 0.3  # it drifts from under the hand to the right


def _extent(_: Instance) -> Extent:
    return (-0.9, -0.97, 0.9, 0.94)


def restitution(instance: Instance) -> float:
    """Speed after a contact over speed before it."""
    return between(instance, 0, 0.7, 0.86)


def first_interval(instance: Instance) -> float:
    """Seconds between the first two contacts."""
    return between(instance, 1, 0.5, 0.75)


def _floor(stage: Stage) -> Part:
    """Boards in perspective with a painted line."""
    brush = stage.still((-0.95, 0.4, 0.95, 0.98))
    x, y = brush.x, brush.y
    far, near = 0.46, 0.9
    half = 0.72 + 0.18 * (y - far) / (near - far)
    floor = np.maximum((np.abs(x) - half.astype(np.float32)) * np.float32(0.9), np.maximum(far - y, y - near))
    grain = texture.wood(y * 1.5, x, stage.body.texture_seed, rings=4, strength=0.2)
    brush.paint(floor, "second", grain=grain, bevel=0.02, outline=0.8)
    inside = floor + np.float32(0.02)
    for level in (0.53, 0.64, 0.77):
        brush.paint(np.maximum(np.abs(y - np.float32(level)) - np.float32(0.011), inside), "dark", outline=0.0)
    slant = x - np.float32(0.5) * (1 + (y - far) / (near - far) * np.float32(0.25))
    brush.paint(np.maximum(np.abs(slant) - np.float32(0.045), inside), "light", outline=0.0)
    slant = x + np.float32(0.62) * (1 + (y - far) / (near - far) * np.float32(0.25))
    brush.paint(np.maximum(np.abs(slant) - np.float32(0.02), inside), "light", outline=0.0)
    return stage.settle(brush)


def _shadow(stage: Stage, place: ndarray, height: ndarray) -> Part:
    """The ball's shadow: wide and faint while it is high, small and dark at contact."""
    brush = stage.still((LEFT - RADIUS * 1.25, FLOOR_Y - 0.12, RIGHT + RADIUS * 1.25, FLOOR_Y + 0.12))
    near = (1 - 0.75 * height / (FLOOR_Y - RADIUS - HELD_Y)).astype(np.float32)[:, None, None]
    u = (brush.x - place.astype(np.float32)[:, None, None]) / np.float32(RADIUS)
    v = (brush.y - np.float32(FLOOR_Y)) / np.float32(0.1)
    alpha = 0.75 * near * np.clip((1.25 - np.hypot(u, v)) * 2, 0, 1)
    rgba = np.zeros((*alpha.shape, 4), np.float32)
    rgba[..., 3] = alpha
    return Part(brush.row, brush.column, rgba, np.arange(len(place)), in_mask=False)


def _panels(stage: Stage) -> Brush:
    """Panels that meet at a valve, under the light of the ball's middle pose."""
    brush = stage.sprite((-RADIUS - 0.04, -RADIUS - 0.04, RADIUS + 0.04, RADIUS + 0.04))
    x, y, instance = brush.x, brush.y, stage.body.instance
    disc = shapes.circle(x, y, 0, 0, RADIUS)
    style = {
        "grain": texture.speckle(x, y, stage.body.texture_seed + 1, 90, 0.08),
        "normal": (np.clip(x / np.float32(RADIUS), -0.68, 0.68), np.clip(y / np.float32(RADIUS), -0.68, 0.68)),
        "gloss": 0.1 + 0.6 * instance.gloss,
        "outline": 0.0,
    }
    brush.paint(disc, "body", **style)
    count = 2 * (2 + int(between(instance, 2, 0, 1.99)))
    u, v = x - np.float32(VALVE[0]), y - np.float32(VALVE[1])
    angle = np.arctan2(v, u) * np.float32(count / (2 * np.pi))
    reach = np.hypot(u, v) * np.float32(2 * np.pi / count)
    for number in range(0, count, 2):
        middle = (angle - np.float32(number) + count / 2) % count - count / 2
        panel = np.maximum((np.abs(middle) - np.float32(0.5)) * reach, disc).astype(np.float32)
        brush.paint(panel, "light" if number % 4 else "accent", **style)
    seam = np.abs(angle - np.floor(angle) - np.float32(0.5)) * reach - np.float32(0.009)
    brush.paint(np.maximum(seam, disc), "dark", outline=0.0)
    brush.paint(shapes.circle(x, y, *VALVE, 0.05), "dark", outline=0.0)
    brush.paint(shapes.circle(x, y, *VALVE, 0.026), "light", outline=0.0)
    brush.paint(np.abs(disc + np.float32(0.012)) - np.float32(0.014), "dark", outline=0.0, opacity=0.9)
    return brush


def _hand(stage: Stage, opened: bool) -> Brush:
    """A sleeved arm from above; the fingers hold the ball or are spread."""
    brush = stage.still((-0.9, -1.0, 0.5, -0.05))
    x, y = brush.x, brush.y
    skin = texture.speckle(x, y, stage.body.texture_seed + 4, 30, 0.06)
    palm = (LEFT, HELD_Y - RADIUS - 0.06)
    brush.paint(shapes.capsule(x, y, (LEFT - 0.5, -0.88), palm, 0.085), "light", grain=skin, outline=0.8)
    sleeve = np.maximum(shapes.capsule(x, y, (-1.2, -0.9), (LEFT - 0.28, -0.85), 0.13), np.float32(-0.9) - x)
    sleeve = np.maximum(sleeve, x - np.float32(LEFT - 0.25))
    brush.paint(sleeve, "accent", grain=texture.speckle(x, y, stage.body.texture_seed + 6, 60, 0.1), outline=0.9)
    cuff = shapes.box(x, y, LEFT - 0.28, -0.85, 0.05, 0.14, 0.03)
    brush.paint(cuff, "second", bevel=0.04, outline=0.9)
    brush.paint(shapes.ellipse(x, y, *palm, 0.2, 0.095), "light", grain=skin, bevel=0.08, outline=0.8)
    for turn in (-2.3, -1.85, -1.4, -0.9):
        knuckle = (palm[0] + 0.16 * np.cos(turn), palm[1] + 0.05)
        reach = RADIUS + (0.14 if opened else 0.02)
        tip = (LEFT + reach * np.cos(turn), HELD_Y + reach * np.sin(turn) + 0.13)
        brush.paint(shapes.capsule(x, y, knuckle, tip, 0.046), "light", bevel=0.05, outline=0.9)
    return brush


def _flight(times: ndarray, own: tuple[Event, ...], e: float, interval: float) -> tuple[ndarray, ndarray]:
    """Height above the floor and distance rolled `[T]`, both in local units."""
    top = FLOOR_Y - RADIUS - HELD_Y
    if not own:
        return np.full(len(times), top), np.zeros(len(times))
    starts = np.array([event.start_seconds for event in own])
    gravity = 8 * top * e**2 / interval**2
    height = np.clip(top - gravity / 2 * np.maximum(times - starts[0] + interval / (2 * e), 0) ** 2, 0, None)
    after = np.searchsorted(starts, times, side="right") - 1
    flown = times - starts[np.maximum(after, 0)]
    whole = interval * e ** np.maximum(after, 0)
    bounce = np.clip(gravity / 2 * flown * (whole - flown), 0, None)
    height = np.where(after >= 0, bounce, height)
    rest = starts[0] + interval / (1 - e)
    rolled = np.clip((times - starts[0]) / (rest - starts[0]), 0, 1)
    return height, (RIGHT - LEFT) * np.sin(rolled * np.pi / 2)


def _draw(stage: Stage) -> list[Part]:
    instance = stage.body.instance
    e, interval = restitution(instance), first_interval(instance)
    own = stage.events
    height, rolled = _flight(stage.times, own, e, interval)
    place, middle = LEFT + rolled, FLOOR_Y - RADIUS - height
    shift = np.column_stack([place, middle])
    held = own[0].start_seconds - interval / (2 * e) if own else np.inf
    shut, spread = _hand(stage, False), _hand(stage, True)
    hand = Part(shut.row, shut.column, np.stack([shut.rgba, spread.rgba]), (stage.times >= held).astype(int))
    turn = ROLL * (rolled / (RIGHT - LEFT) - 0.5)
    return [_floor(stage), _shadow(stage, place, height), stage.move(_panels(stage), Motion((0, 0), turn, shift)), hand]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    return thudding(source, events, samples, slap=0.15 + 0.35 * source.instance.gloss)


def _follow(instance: Instance, dropped: list[Event]) -> list[Event]:
    """Every contact of the ball after its first."""
    return list(contacts(tuple(dropped), restitution(instance), first_interval(instance)))


KIND = Kind(
    name="ball",
    group="toy",
    synonyms=("ball", "rubber ball", "bouncing ball"),
    sounds=("bounces", "thuds", "drops and bounces"),
    rhythm="continuous",
    pitch_range_hz=(65.0, 520.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
    follow=_follow,
)
