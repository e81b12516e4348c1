"""Drum: a roped cylinder with hoops, lugs and a skin, hit by two sticks; membrane partials and a click."""

import numpy as np
from numpy import ndarray

from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.painting.motion import lift, still
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.modal import struck

RATIOS = (1.0, 1.59, 2.14, 2.30, 2.65, 2.92)  # ideal membrane
WEIGHTS = (1.0, 0.7, 0.5, 0.4, 0.35, 0.3)
SKIN, HALF = -0.2, 0.8


def _extent(instance: Instance) -> Extent:
    return (-0.86, -0.95, 0.86, _bottom(instance) + 0.24)


def _bottom(instance: Instance) -> float:
    return between(instance, 0, 0.5, 0.85)


def _shell(stage: Stage) -> Part:
    instance = stage.body.instance
    bottom, depth = _bottom(instance), between(instance, 1, 0.16, 0.26)
    brush = stage.still((-0.9, SKIN - 0.35, 0.9, bottom + 0.35))
    x, y = brush.x, brush.y
    nx = np.clip(x / np.float32(HALF), -0.97, 0.97)
    bulge = np.float32(depth) * np.sqrt(1 - nx * nx)
    shell = np.maximum(np.abs(x) - np.float32(HALF), np.maximum(SKIN - y, y - bottom - bulge))
    grain = texture.speckle(x, y, stage.body.texture_seed, 50, 0.08)
    normal = (nx * np.float32(0.95), 0.0)
    brush.paint(shell, "body", grain=grain, normal=normal, gloss=0.6 * instance.gloss)
    _ropes(brush, shell, nx, bulge, instance)
    for level in (SKIN + 0.06, bottom - 0.06):
        hoop = np.maximum(np.abs(y - np.float32(level) - bulge) - np.float32(0.075), np.abs(x) - np.float32(0.84))
        brush.paint(hoop, "second", normal=normal, outline=0.9, gloss=0.4)
    _skin(brush, stage, depth)
    return stage.settle(brush)


def _ropes(brush: Brush, shell: ndarray, nx: ndarray, bulge: ndarray, instance: Instance) -> None:
    """A zigzag rope round the shell, narrowing towards its sides as on a cylinder."""
    around = np.arcsin(nx) / np.float32(np.pi)
    phase = around * np.float32(4 + int(between(instance, 2, 0, 2.99)))
    zigzag = np.abs(phase - np.floor(phase) - np.float32(0.5)) * 2
    top, bottom = SKIN + 0.14, _bottom(instance) - 0.12
    rope_y = np.float32(top) + np.float32(bottom - top) * zigzag + bulge
    steep = np.float32(1 / 2.6)
    rope = np.maximum(np.abs(brush.y - rope_y) * steep - np.float32(0.032), shell + np.float32(0.02))
    brush.paint(rope, "light", outline=0.0)
    dark = np.maximum(np.abs(np.abs(brush.y - rope_y) * steep - np.float32(0.05)) - np.float32(0.016), shell)
    brush.paint(dark, "dark", outline=0.0, opacity=0.8)


def _skin(brush: Brush, stage: Stage, depth: float) -> None:
    x, y = brush.x, brush.y
    grain = texture.speckle(x, y, stage.body.texture_seed + 5, 16, 0.07)
    brush.paint(shapes.ellipse(x, y, 0, SKIN, HALF + 0.03, depth + 0.03), "second", outline=0.9)
    brush.paint(shapes.ellipse(x, y, 0, SKIN, HALF - 0.06, depth - 0.02), "light", grain=grain, bevel=0.02)
    patch = shapes.ellipse(x, y, 0, SKIN, 0.34, depth * 0.42)
    brush.paint(np.abs(patch) - np.float32(0.018), "accent", outline=0.0, opacity=0.8)


def _stick(stage: Stage, side: float) -> tuple[Brush, tuple[float, float]]:
    tip, grip = (side * 0.16, SKIN - 0.03), (side * 0.8, SKIN - 0.62)
    head = 0.05 + 0.06 * between(stage.body.instance, 3, 0.0, 1.0)
    brush = stage.sprite((min(tip[0], grip[0]) - 0.14, grip[1] - 0.1, max(tip[0], grip[0]) + 0.14, tip[1] + 0.14))
    x, y = brush.x, brush.y
    brush.paint(shapes.capsule(x, y, grip, tip, 0.04), "accent", grain=texture.wood(x, y, stage.body.texture_seed))
    brush.paint(shapes.circle(x, y, *tip, head), "light", bevel=0.08, outline=0.8)
    return brush, grip


def _draw(stage: Stage) -> list[Part]:
    parts = [_shell(stage)]
    for number, side in enumerate((-1.0, 1.0)):
        brush, grip = _stick(stage, side)
        own = tuple(event for event in stage.events if event.side == number)
        turn = side * 0.45 * lift(stage.times, own)
        parts.append(stage.move(brush, Motion(grip, turn, still(len(stage.times)))))
    return parts


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    loss = 0.12 * 0.35**source.instance.gloss
    contact = 0.0006 + 0.003 * between(source.instance, 3, 0.0, 1.0)
    return struck(
        source, events, samples, RATIOS, WEIGHTS, loss=loss, contact_seconds=contact, click=0.35, rayleigh_share=0.3
    )


KIND = Kind(
    name="drum",
    group="struck",
    synonyms=("drum", "snare", "roped drum"),
    sounds=("beats", "thumps", "booms"),
    rhythm="impacts",
    pitch_range_hz=(65.0, 520.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
)
