"""Harp: column, curved neck with pins, slanted sound box and strings, plucked by a hand; long Karplus-Strong strings.

The hand goes to the very string that sounds, and that string is seen to shiver.
"""

import dataclasses

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.painting.motion import lift
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.karplus import plucked
from seehear.world.sounds.tunes import tune

FOOT, SHOULDER = (-0.5, 0.84), (0.59, -0.42)  # the sound board's ends
LEFTMOST, RIGHTMOST = -0.46, 0.5  # strings
PLAYED = (0.3, 0.5, 0.7)  # places of the strings that are played, from the longest to the shortest
RATIOS = (0.8, 1.0, 1.25)  # their pitches
BLUR_SECONDS, BLUR_WIDTH = 0.35, 0.06


def _extent(_: Instance) -> Extent:
    return (-0.86, -1.03, 0.86, 0.97)


def _neck_y(instance: Instance, x: ndarray | float) -> ndarray:
    dip = between(instance, 0, -0.66, -0.54)
    knots, heights = shapes.smooth_curve([-0.7, -0.55, -0.2, 0.2, 0.5, 0.72], [0.16, 0.2, 0.55, 0.6, 0.4, 0.55])
    return np.asarray(np.interp(x, knots, dip - 0.6 + heights), np.float32)


def _board_y(x: ndarray | float) -> ndarray:
    slope = (SHOULDER[1] - FOOT[1]) / (SHOULDER[0] - FOOT[0])
    return np.asarray(FOOT[1] + slope * (x - FOOT[0]), np.float32)


def _strings(brush: Brush, instance: Instance) -> None:
    count = 9 + int(between(instance, 1, 0, 3.99))
    for number, place in enumerate(np.linspace(LEFTMOST, RIGHTMOST, count)):
        top, bottom = float(_neck_y(instance, place)), float(_board_y(place))
        string = shapes.box(brush.x, brush.y, place, (top + bottom) / 2, 0.012, max(0.02, (bottom - top) / 2))
        brush.paint(string, "accent" if number % 4 == 2 else "light", outline=0.0, normal=(0.0, 0.0))


def _sound_box(brush: Brush, stage: Stage) -> None:
    instance = stage.body.instance
    lean = float(np.arctan2(SHOULDER[0] - FOOT[0], FOOT[1] - SHOULDER[1]))
    u, v = shapes.rotate(brush.x, brush.y, lean, *FOOT)
    u = u - np.float32(FOOT[0] + 0.1)
    length = float(np.hypot(SHOULDER[0] - FOOT[0], SHOULDER[1] - FOOT[1]))
    wide = between(instance, 2, 0.17, 0.23)
    knots = np.array([FOOT[1] - length - 0.2, FOOT[1] + 0.2], np.float32)
    box = np.maximum(shapes.profile(u, v, knots, np.array([0.08, wide], np.float32)), brush.y - np.float32(0.95))
    grain = texture.wood(u, v, stage.body.texture_seed, rings=6, strength=0.2)
    brush.paint(box, "body", grain=grain, bevel=0.1, outline=0.8, gloss=0.5 * instance.gloss)
    for place in (0.25, 0.5, 0.75):
        hole = shapes.ellipse(u, v, 0.04, FOOT[1] - length * place, 0.045, 0.075)
        brush.paint(hole, "dark", outline=0.0)
    edge = np.maximum(np.abs(u + np.float32(0.09)) - np.float32(0.018), box)
    brush.paint(edge, "light", outline=0.0)


def _frame(brush: Brush, stage: Stage) -> None:
    x, y, instance, seed = brush.x, brush.y, stage.body.instance, stage.body.texture_seed
    gloss = 0.15 + 0.5 * instance.gloss
    brush.paint(shapes.box(x, y, -0.4, 0.92, 0.4, 0.07, 0.03), "second", bevel=0.06, outline=0.8)
    top = float(_neck_y(instance, -0.64))
    neck = np.maximum(np.abs(y - _neck_y(instance, x)) - np.float32(0.085), np.abs(x - 0.02) - np.float32(0.7))
    brush.paint(neck, "second", grain=texture.wood(y, x, seed + 5), bevel=0.07, outline=0.8, gloss=gloss)
    for place in np.linspace(LEFTMOST, RIGHTMOST, 9):
        brush.paint(shapes.circle(x, y, place, float(_neck_y(instance, place)), 0.03), "light", outline=0.0)
    column = shapes.box(x, y, -0.64, (top + 0.88) / 2, 0.075, (0.88 - top) / 2, 0.02)
    nx = np.clip((x + np.float32(0.64)) / np.float32(0.08), -0.95, 0.95)
    flutes = 1 + np.float32(0.15) * np.sin(np.arcsin(nx) * 9)
    brush.paint(column, "second", grain=flutes, normal=(nx, 0.0), outline=0.8, gloss=gloss)
    rings = (top + 0.04, 0.13, 0.07), (top + 0.18, 0.1, 0.03), (0.72, 0.11, 0.035), (0.82, 0.13, 0.04)
    for level, half, thick in rings:
        brush.paint(shapes.box(x, y, -0.64, level, half, thick, 0.02), "accent", bevel=0.04, outline=0.7, gloss=gloss)
    brush.paint(shapes.circle(x, y, -0.64, top - 0.08, 0.09), "accent", bevel=0.08, outline=0.7, gloss=gloss)
    scroll = float(_neck_y(instance, 0.7))
    brush.paint(shapes.circle(x, y, 0.68, scroll, 0.12), "second", bevel=0.08, outline=0.8, gloss=gloss)
    brush.paint(shapes.ring(x, y, 0.68, scroll, 0.055, 0.03), "dark", outline=0.0)


def _instrument(stage: Stage) -> Part:
    brush = stage.still((-0.9, -1.05, 0.9, 1.05))
    _strings(brush, stage.body.instance)
    _sound_box(brush, stage)
    _frame(brush, stage)
    return stage.settle(brush)


def _place(number: int) -> float:
    return LEFTMOST + PLAYED[number] * (RIGHTMOST - LEFTMOST)


def _shivering(stage: Stage, played: ndarray) -> Part:
    """Plucked strings, blurred sideways, dying away."""
    brush = stage.still((LEFTMOST - 0.1, -0.8, RIGHTMOST + 0.1, 0.8))
    total = np.zeros((len(stage.times), *brush.x.shape), np.float32)
    for number in set(played.tolist()):
        place = _place(number)
        top, bottom = float(_neck_y(stage.body.instance, place)) + 0.08, float(_board_y(place)) - 0.05
        along = np.clip((brush.y - np.float32(top)) / np.float32(bottom - top), 0, 1)
        reach = np.float32(BLUR_WIDTH) * np.sin(np.float32(np.pi) * along)
        band = np.clip((reach - np.abs(brush.x - np.float32(place))) * np.float32(brush.density) + 0.5, 0, 1)
        level = np.zeros(len(stage.times))
        for event in (e for e, own in zip(stage.events, played, strict=True) if own == number):
            since = stage.times - event.start_seconds
            level = np.maximum(level, np.where(since >= 0, event.strength * np.exp(-since / BLUR_SECONDS), 0))
        total = np.maximum(total, (band * (reach > 0))[None] * (0.75 * level).astype(np.float32)[:, None, None])
    rgba = np.concatenate([total[..., None] * stage.colours["light"], total[..., None]], axis=-1)
    return Part(brush.row, brush.column, rgba, np.arange(len(stage.times)), in_mask=False)


def _hand(stage: Stage) -> Brush:
    """A hand with its finger tips at the origin, reaching in from the right."""
    brush = stage.sprite((-0.1, -0.2, 0.72, 0.42))
    x, y = brush.x, brush.y
    brush.paint(shapes.capsule(x, y, (0.4, 0.16), (0.66, 0.34), 0.1), "second", bevel=0.1, outline=0.7)
    brush.paint(shapes.capsule(x, y, (0.3, 0.12), (0.06, 0.14), 0.05), "second", bevel=0.06, outline=0.7)
    brush.paint(shapes.ellipse(x, y, 0.36, 0.08, 0.18, 0.15), "second", bevel=0.12, outline=0.7)
    for k in range(3):
        middle, tip = (0.2, -0.1 + 0.07 * k), (0.0, -0.06 + 0.065 * k)
        brush.paint(shapes.capsule(x, y, (0.34, -0.02 + 0.06 * k), middle, 0.048), "second", bevel=0.06, outline=0.7)
        brush.paint(shapes.capsule(x, y, middle, tip, 0.045), "second", bevel=0.06, outline=0.7)
    return brush


def _draw(stage: Stage) -> list[Part]:
    played = tune(stage.body.instance, len(stage.events), len(PLAYED))
    away = lift(stage.times, stage.events)
    starts, places = [event.start_seconds for event in stage.events], [_place(k) for k in played]
    along = np.interp(stage.times, starts, places) if starts else np.full(len(stage.times), _place(1))
    shift = np.column_stack([along + 0.03 + 0.1 * away, -0.12 + 0.05 * away])
    hand = stage.move(_hand(stage), Motion((0.3, 0.1), 0.12 * away, shift))
    return [_instrument(stage), _shivering(stage, played), hand]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    ring = 2 + 2 * source.instance.gloss
    pick = between(source.instance, 3, 0.3, 0.5)
    played = tune(source.instance, len(events), len(PLAYED))
    own = tuple(dataclasses.replace(event, side=int(k)) for event, k in zip(events, played, strict=True))
    return plucked(source, own, samples, ring_seconds=ring, pick_place=pick, strings=RATIOS)


KIND = Kind(
    name="harp",
    group="plucked",
    synonyms=("harp", "concert harp", "folk harp"),
    sounds=("is plucked softly", "ripples", "lets its strings ring"),
    rhythm="impacts",
    pitch_range_hz=(90.0, 720.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
)
