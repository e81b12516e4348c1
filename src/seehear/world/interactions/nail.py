"""Nail: it stands in a block of wood; every blow of a hammer that tells drives it halfway further in."""

import numpy as np
from numpy import ndarray

from seehear.world.interactions.states import CHANGE, CONTACT, Action, of_kind, place
from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Motion, Part, Stage
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.modal import struck

METAL, METAL_WEIGHTS = (1.0, 2.76, 5.4, 8.93), (1.0, 0.8, 0.5, 0.3)
WOOD, WOOD_WEIGHTS = (1.0, 1.6, 2.4, 3.5), (1.0, 0.6, 0.4, 0.3)
HEAD, TOP = -0.8, 0.05  # the nail's head at first, and the wood's surface
BLOW = 0.4  # how far a blow drives it
SINK_SECONDS = 0.04


def _extent(_: Instance) -> Extent:
    return (-0.88, -0.9, 0.88, 1.16)


def _block(stage: Stage) -> Part:
    brush = stage.still((-0.9, 0.0, 0.9, 1.0))
    x, y = brush.x, brush.y
    grain = texture.wood(y * np.float32(2.2), x, stage.body.texture_seed, rings=3, strength=0.3)
    brush.paint(shapes.box(x, y, 0, (TOP + 0.97) / 2, 0.85, (0.97 - TOP) / 2, 0.04), "body", grain=grain, outline=0.8)
    brush.paint(shapes.box(x, y, 0, TOP + 0.07, 0.85, 0.07, 0.03), "body", grain=grain * np.float32(1.3), outline=0.4)
    return stage.settle(brush)


def _nail(stage: Stage) -> Brush:
    thick = between(stage.body.instance, 0, 0.065, 0.095)
    brush = stage.sprite((-0.3, HEAD - 0.08, 0.3, TOP + 0.08))
    x, y = brush.x, brush.y
    nx = np.clip(x / np.float32(thick), -0.95, 0.95)
    shaft = shapes.box(x, y, 0, (HEAD + TOP + 0.04) / 2, thick, (TOP + 0.04 - HEAD) / 2)
    brush.paint(shaft, "second", normal=(nx * np.float32(0.9), 0.0), gloss=0.9, outline=0.6)
    head = shapes.box(x, y, 0, HEAD + 0.01, between(stage.body.instance, 1, 0.2, 0.26), 0.06, 0.03)
    brush.paint(head, "second", bevel=0.05, gloss=0.9, outline=0.7)
    return brush


def _draw(stage: Stage) -> list[Part]:
    depth = BLOW * place(stage, ACTION, SINK_SECONDS)
    shift = np.column_stack([np.zeros(len(depth)), depth])
    nail = stage.move(_nail(stage), Motion((0.0, HEAD), np.zeros(len(depth)), shift))
    return [nail, _block(stage)]  # the wood hides what is in it


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    blows, glances = of_kind(events, CHANGE), of_kind(events, CONTACT)
    ring = struck(
        source, (*blows, *glances), samples, METAL, METAL_WEIGHTS, loss=0.012, contact_seconds=0.0003, click=0.3
    )
    thud = struck(source, blows, samples, WOOD, WOOD_WEIGHTS, loss=0.05, contact_seconds=0.002, transpose=0.3)
    return ring + np.float32(1.6) * thud


def _touched(_: Instance, state: str) -> tuple[float, float]:
    return (0.0, HEAD - 0.05 + BLOW * ACTION.states.index(state))


ACTION = Action("hammer", ("out", "halfway in", "in"), _touched, change_seconds=SINK_SECONDS, tool="hammer")

KIND = Kind(
    name="nail",
    group="household",
    synonyms=("nail", "nail in a block of wood"),
    sounds=("is struck", "goes in"),
    rhythm="impacts",
    pitch_range_hz=(500.0, 2000.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
    crest=20.0,
)
