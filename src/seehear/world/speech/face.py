"""Face: head, ears, hair, brows, eyes, nose and a mouth that shapes what is said.

Hair, jaw, eyes, brows, nose and lips belong to the individual, as does the voice; colours do not. Brows, lids and the
corners of the mouth show the emotion (`body.manner`). The mouth follows the phonemes: it opens and closes, widens and
rounds with the same co-articulation as the tract, wider where speech is stressed; words of the external engine, whose
phonemes have no times, open it with their envelope.

Legend: T frames, U different mouths, P phonemes, h w the mouth's box.
"""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Part, Stage
from seehear.world.scenes import Event, Instance, Source
from seehear.world.speech import espeak
from seehear.world.speech.coarticulation import shares, track
from seehear.world.speech.emotions import EXPRESSIONS, NEUTRAL, Expression
from seehear.world.speech.phonemes import MOUTHS, PHONEMES, Mouth
from seehear.world.speech.synthesis import speaking

MOUTH_Y, EYE_Y = 0.47, -0.08
POSES = 16  # steps from shut to wide open, and from narrow to wide
HAIRS = ("cropped", "long", "parted", "bun", "bald", "curly")


def _extent(instance: Instance) -> Extent:
    return (-0.82, -1.22 if hair(instance) == "bun" else -1.06, 0.82, 1.02)


def hair(instance: Instance) -> str:
    """How an individual wears the hair."""
    return HAIRS[min(len(HAIRS) - 1, int(instance.code[7] * len(HAIRS)))]


def mouth_at(times: ndarray, who: Instance, events: tuple[Event, ...]) -> ndarray:
    """Opening, width and rounding of an individual's mouth at each time, `[T, 3]`: rest where nothing is said."""
    rest = _numbers(MOUTHS["rest"])
    if not events:
        return np.tile(rest, (len(times), 1))
    if _words(events):
        opening = espeak.opening(times, who, events)
        return rest + opening[:, None] * (_numbers(MOUTHS["open"]) - rest)
    goals = np.array([_numbers(PHONEMES[event.kind].mouth) for event in events])
    goals[:, 0] *= [0.5 + 0.5 * event.strength for event in events]
    starts = np.array([event.start_seconds for event in events])
    stops = np.array([event.stop_seconds for event in events])
    return track(shares(times, starts, stops), goals, rest)


def _words(events: tuple[Event, ...]) -> bool:
    """Whether the events are words of the external engine, not phonemes."""
    return bool(events) and events[0].kind not in PHONEMES


def _numbers(mouth: Mouth) -> ndarray:
    return np.array([mouth.opening, mouth.width, mouth.rounding])


def _skull(instance: Instance) -> tuple[ndarray, ndarray]:
    """Outline of the head for `shapes.profile`: forehead, cheeks, jaw and chin of the individual."""
    cheeks = between(instance, 0, 0.54, 0.68)
    jaw = cheeks * between(instance, 1, 0.62, 0.88)
    chin = between(instance, 1, 0.16, 0.34)
    return shapes.smooth_curve(
        [-0.86, -0.8, -0.6, -0.2, 0.15, 0.5, 0.72, 0.84],
        [0.12, 0.34, cheeks * 0.92, cheeks, cheeks * 0.98, jaw, chin, 0.08],
    )


def _head(stage: Stage, shown: Expression) -> Part:
    instance, seed = stage.body.instance, stage.body.texture_seed
    brush = stage.still(_extent(instance))
    x, y = brush.x, brush.y
    knots, halves = _skull(instance)
    head = shapes.profile(x, y, knots, halves)
    skin = texture.speckle(x, y, seed, 30, 0.03)
    if hair(instance) in ("long", "bun"):
        _behind(brush, instance, seed)
    neck = shapes.box(x, y, 0, 0.85, 0.27, 0.25, 0.04)
    brush.paint(neck, "body", grain=skin * np.float32(0.78), outline=0.5)
    shirt = np.maximum(shapes.box(x, y, 0, 1.22, 0.74, 0.36, 0.24), y - np.float32(1.0))
    shirt = np.maximum(shirt, -shapes.ellipse(x, y, 0, 0.86, 0.3, 0.14))
    brush.paint(shirt, "second", grain=texture.brushed(x, y, seed), outline=0.6)
    cheeks = float(halves.max())
    for side in (-1, 1):
        ear = shapes.ellipse(x, y, side * (cheeks + 0.02), 0.02, 0.09, 0.16)
        brush.paint(ear, "body", grain=skin * np.float32(0.88), bevel=0.08, outline=0.7)
    half = np.maximum(shapes.half_width(y, knots, halves), 0.05)
    round_x = np.clip(x / half, -1, 1) * np.float32(0.75)
    brush.paint(head, "body", grain=skin, normal=(round_x, (y - np.float32(0.1)) * np.float32(0.35)), outline=0.55)
    _hair(brush, instance, head, seed)
    for side in (-1, 1):
        _eye(brush, instance, side, shown)
        _brow(brush, instance, side, shown)
    _nose(brush, instance)
    return stage.settle(brush)


def _strands(x: ndarray, y: ndarray, seed: int) -> ndarray:
    return 1 + np.float32(0.22) * texture.noise(x, y, 60, 9, seed)


def _behind(brush: Brush, instance: Instance, seed: int) -> None:
    """Hair that lies behind the head: it falls to the shoulders, or is tied up in a bun."""
    x, y = brush.x, brush.y
    if hair(instance) == "bun":
        brush.paint(shapes.circle(x, y, 0, -0.98, 0.23), "dark", grain=_strands(x, y, seed) * 2, outline=0.7)
    else:
        fall = shapes.box(x, y, 0, 0.0, 0.74, 0.9, 0.5)
        brush.paint(fall, "dark", grain=_strands(x, y, seed) * 2, bevel=0.1, outline=0.7)


def _hair(brush: Brush, instance: Instance, head: ndarray, seed: int) -> None:
    """Hair over the skull, above a hairline that is the style's own."""
    x, y, style = brush.x, brush.y, hair(instance)
    low = between(instance, 2, -0.52, -0.4)
    grown = head - np.float32({"curly": 0.14, "bald": 0.02}.get(style, 0.06))
    if style == "curly":
        grown = grown + np.float32(0.035) * texture.noise(x, y, 26, 26, seed + 3)
    if style == "parted":
        line = y - np.float32(low - 0.1) - np.float32(0.42) * np.abs(x + np.float32(0.22))
    elif style == "bald":
        line = np.maximum(y - np.float32(0.05), np.float32(0.5) - np.abs(x) + np.float32(0.1) * y)
    else:
        line = y - np.float32(low) - np.float32(0.75) * np.maximum(np.abs(x) - np.float32(0.3), 0)
    cap = np.maximum(grown, line).astype(np.float32)
    brush.paint(cap, "dark", grain=_strands(x, y, seed) * 2, bevel=0.1, outline=0.5)


def _eye(brush: Brush, instance: Instance, side: int, shown: Expression) -> None:
    x, y = brush.x, brush.y
    middle, size = side * between(instance, 3, 0.22, 0.3), between(instance, 4, 0.1, 0.145)
    tall = size * (0.68 + 0.3 * shown.lids)
    white = shapes.ellipse(x, y, middle, EYE_Y, size, tall)
    brush.paint(white, "light", outline=0.75)
    iris = np.maximum(shapes.circle(x, y, middle, EYE_Y, size * 0.55), white + np.float32(0.01))
    brush.paint(iris, "accent", outline=0.5)
    pupil = np.maximum(shapes.circle(x, y, middle, EYE_Y, size * 0.32), white + np.float32(0.01))
    brush.paint(pupil, "dark", outline=0.0)
    lid = np.maximum(np.abs(white) - np.float32(0.018), y - np.float32(EYE_Y))
    brush.paint(lid.astype(np.float32), "dark", outline=0.0)


def _brow(brush: Brush, instance: Instance, side: int, shown: Expression) -> None:
    middle, thick = between(instance, 3, 0.22, 0.3), between(instance, 5, 0.026, 0.05)
    level = EYE_Y - 0.23 - 0.1 * shown.brows
    inner = (side * (middle - 0.14), level - 0.1 * shown.inner)
    outer = (side * (middle + 0.16), level + 0.03 + 0.06 * shown.inner)
    arch = (side * (middle + 0.04), level - 0.04 - 0.04 * shown.brows)
    bow = np.minimum(
        shapes.capsule(brush.x, brush.y, inner, arch, thick), shapes.capsule(brush.x, brush.y, arch, outer, thick * 0.8)
    )
    brush.paint(bow, "dark", outline=0.0)


def _nose(brush: Brush, instance: Instance) -> None:
    x, y = brush.x, brush.y
    tip, wide = between(instance, 6, 0.16, 0.27), between(instance, 6, 0.07, 0.11)
    bridge = shapes.capsule(x, y, (0.0, EYE_Y + 0.02), (0.0, tip - 0.03), 0.045)
    ball = shapes.ellipse(x, y, 0, tip, wide, 0.065)
    brush.paint(np.minimum(bridge, ball), "body", grain=1.06, bevel=0.06, outline=0.3)
    for side in (-1, 1):
        brush.paint(shapes.ellipse(x, y, side * wide * 0.55, tip + 0.035, 0.028, 0.02), "dark", outline=0.0)


def _mouth(stage: Stage, shown: Expression) -> Part:
    """The mouth in all the shapes that the clip needs: lips, what is dark behind them, teeth and tongue."""
    shaped = mouth_at(stage.times, stage.body.instance, stage.events)
    unique, index = np.unique(np.round(shaped * POSES) / POSES, axis=0, return_inverse=True)
    brush = stage.still((-0.42, MOUTH_Y - 0.24, 0.42, MOUTH_Y + 0.36))
    opening, width, rounding = (unique[:, k, None, None].astype(np.float32) for k in range(3))
    lip = np.float32(between(stage.body.instance, 5, 0.035, 0.075)) + np.float32(0.025) * rounding
    half_w = np.float32(between(stage.body.instance, 2, 0.2, 0.27)) * (0.75 + 0.5 * width - 0.4 * rounding)
    half_w = half_w * np.float32(1 + 0.15 * max(shown.corners, 0))
    half_h = np.float32(0.018) + np.float32(0.17) * opening
    middle = np.float32(MOUTH_Y) + np.float32(0.45) * half_h  # the jaw goes down, the upper lip stays
    bend = np.float32(0.16 * shown.corners) * ((brush.x / half_w) ** 2 - np.float32(0.35))
    v = brush.y - middle + np.clip(bend, -0.14, 0.14)
    u = np.broadcast_to(brush.x, v.shape)
    outer, inner = _oval(u, v, half_w + lip * 0.6, half_h + lip), _oval(u, v, half_w, half_h)
    teeth = np.maximum(inner, v + half_h * np.float32(0.45))
    tongue = np.maximum(inner, half_h * np.float32(0.35) - v)
    rgba = np.zeros((*v.shape, 4), np.float32)
    shade = np.where(v < 0, 0.8, 1.05)[..., None]
    layers = (
        (outer - np.float32(0.018), "dark", 1.0),
        (outer, "accent", shade),
        (inner, "dark", 0.8),
        (tongue, "accent", 0.65),
        (teeth, "light", 1.0),
    )
    for distance, role, light in layers:
        alpha = np.clip(0.5 - distance * np.float32(stage.scale), 0, 1)[..., None]
        rgba *= 1 - alpha
        rgba[..., :3] += np.clip(brush.colours[role] * light, 0, 1) * alpha
        rgba[..., 3:] += alpha
    return Part(brush.row, brush.column, rgba, index.reshape(-1), name="mouth")


def _oval(u: ndarray, v: ndarray, half_w: ndarray, half_h: ndarray) -> ndarray:
    """Height over an ellipse around the origin, one pair of half-axes per mouth, `[U, h, w]`; thin ones stay whole."""
    tall = half_h * np.sqrt(np.maximum(1 - (u / half_w) ** 2, 0))
    return np.maximum(np.abs(v) - tall, np.abs(u) - half_w)


def _draw(stage: Stage) -> list[Part]:
    shown = EXPRESSIONS[stage.body.manner or NEUTRAL]
    return [_head(stage, shown), _mouth(stage, shown)]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    engine = espeak.speaking if _words(events) else speaking
    return engine(source, events, samples)


KIND = Kind(
    name="face",
    group="person",
    synonyms=("face", "person", "speaker"),
    sounds=("speaks", "talks", "says something"),
    rhythm="strokes",
    pitch_range_hz=(85.0, 260.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
)
