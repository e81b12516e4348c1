"""Lamp: a desk lamp with a shade; a finger presses the button on its foot, it clicks and the light goes on or off."""

import numpy as np
from numpy import ndarray

from seehear.world.interactions.states import CHANGE, CONTACT, Action, of_kind, painted, place
from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes, texture
from seehear.world.painting.canvas import Brush, Part, Stage
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.modal import struck

RATIOS, WEIGHTS = (1.0, 1.72, 2.61, 4.4), (1.0, 0.7, 0.6, 0.4)
RELEASE_SECONDS, RELEASE_STRENGTH = 0.09, 0.5  # the button springs back
BUTTON = (0.4, 0.74)
PRESSED_SECONDS = 0.16


def _extent(_: Instance) -> Extent:
    return (-0.9, -0.95, 0.9, 0.97)


def _shade(brush: Brush, instance: Instance) -> ndarray:
    top, bottom = between(instance, 0, 0.2, 0.38), between(instance, 1, 0.56, 0.7)
    return shapes.profile(brush.x, brush.y, np.array([-0.92, -0.25]), np.array([top, bottom]))


def _stand(stage: Stage) -> Part:
    brush = stage.still((-0.9, -0.95, 0.9, 0.98))
    x, y = brush.x, brush.y
    brush.paint(shapes.capsule(x, y, (0, -0.3), (0, 0.75), 0.055), "second", gloss=0.5, outline=0.8)
    foot = shapes.smooth_curve([0.7, 0.8, 0.95], [0.2, 0.55, 0.62])
    brush.paint(shapes.profile(x, y, *foot), "second", bevel=0.1, gloss=0.3, outline=0.8)
    return stage.settle(brush)


def _button(brush: Brush, pressed: float) -> None:
    x, y = brush.x, brush.y
    at = BUTTON[1] + (0.06 if pressed else 0.0)
    brush.paint(shapes.box(x, y, BUTTON[0], at + 0.06, 0.1, 0.06, 0.03), "accent", bevel=0.04, outline=0.6)


def _draw(stage: Stage) -> list[Part]:
    instance, seed = stage.body.instance, stage.body.texture_seed

    def shade(brush: Brush, lit: float) -> None:
        x, y = brush.x, brush.y
        cloth = texture.speckle(x, y, seed, 40, 0.1)
        outline = _shade(brush, instance)
        brush.paint(shapes.circle(x, y, 0, -0.2, 0.16), "light", grain=1.3 if lit else 0.6, outline=0.3 if lit else 0.8)
        brush.paint(outline, "body", grain=cloth * np.float32(1.35 if lit else 0.75), bevel=0.2, outline=0.8)
        if lit:
            brush.paint(outline + np.float32(0.04), "light", grain=1.25, outline=0.0, opacity=0.6)

    def cone(brush: Brush, lit: float) -> None:
        if lit:
            wide = between(instance, 1, 0.56, 0.7)
            for half, opacity in ((0.88, 0.22), (0.74, 0.22)):
                beam = shapes.profile(brush.x, brush.y, np.array([-0.25, 0.96]), np.array([wide - 0.05, half]))
                brush.paint(beam, "light", grain=1.3, outline=0.0, opacity=opacity)

    lit = np.mod(place(stage, ACTION), 2)
    pressed = np.zeros(len(stage.times))
    for event in stage.events:
        since = stage.times - event.start_seconds
        pressed = np.maximum(pressed, (since >= 0) & (since < PRESSED_SECONDS) & (event.kind == CHANGE))
    glow = painted(stage, (-0.9, -0.3, 0.9, 0.98), lit, cone)
    glow.in_mask = False
    button = painted(stage, (0.25, 0.65, 0.55, 0.9), pressed, _button)
    return [glow, button, _stand(stage), painted(stage, (-0.9, -0.95, 0.9, 0.05), lit, shade)]


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    clicks = of_kind(events, CHANGE)
    releases = tuple(
        Event(
            e.source, e.kind, e.start_seconds + RELEASE_SECONDS, e.stop_seconds, RELEASE_STRENGTH * e.strength, e.side
        )
        for e in clicks
    )
    click = struck(source, (*clicks, *releases), samples, RATIOS, WEIGHTS, loss=0.02, contact_seconds=0.0003, click=0.6)
    tap = struck(source, of_kind(events, CONTACT), samples, RATIOS, WEIGHTS, loss=0.06, contact_seconds=0.003,
                 transpose=0.35)  # fmt: skip
    return click + tap


def _touched(_: Instance, __: str) -> tuple[float, float]:
    return BUTTON


ACTION = Action("switch", ("off", "on"), _touched, turns=True)

KIND = Kind(
    name="lamp",
    group="household",
    synonyms=("lamp", "desk lamp", "light"),
    sounds=("clicks",),
    rhythm="impacts",
    pitch_range_hz=(500.0, 2000.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
    crest=20.0,
)
