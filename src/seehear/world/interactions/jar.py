"""Jar: an empty glass jar under a tap; the tap is opened, water runs in, and the air above it sounds ever higher.

The air column of a jar of length L filled to a height h is a tube closed at one end: it resounds at
f = c / (4 (L - h)) and at odd multiples of it.
"""

import numpy as np
from numpy import ndarray

from seehear.world.interactions.states import CHANGE, CONTACT, Action, of_kind, painted, since_change
from seehear.world.kinds import Extent, Kind, between
from seehear.world.painting import shapes
from seehear.world.painting.canvas import Brush, Part, Stage
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.filters import filtered
from seehear.world.sounds.levels import SAMPLE_RATE, TOP_HZ, edges, span, unit_peak
from seehear.world.sounds.modal import struck
from seehear.world.streams import stream

RATIOS, WEIGHTS = (1.0, 2.32, 4.25, 6.63), (1.0, 0.7, 0.5, 0.3)
SPEED_OF_SOUND = 343.0  # metres per second
FILL_SECONDS, STEPS = 0.85, 9
FULLEST = 0.82  # of the jar's length
BANDWIDTH_POLE = 0.975  # the resonance is about 130 Hz wide
SECOND_MODE, SPLASH = 0.4, 0.08
RIM, BOTTOM, HALF = -0.1, 0.9, 0.44
HANDLE, SPOUT = (0.66, -0.8), (0.0, -0.42)


def _extent(_: Instance) -> Extent:
    return (-0.8, -1.0, 0.94, 1.0)


def length_metres(pitch_hz: float) -> float:
    """Length L of a jar whose empty air column has a pitch."""
    return SPEED_OF_SOUND / (4 * pitch_hz)


def resonance_hz(pitch_hz: float, filled: ndarray) -> ndarray:
    """Pitch of the air above the water, which fills a share of the jar's length."""
    length = length_metres(pitch_hz)
    return SPEED_OF_SOUND / (4 * (length - filled * length))


def filled(seconds: ndarray) -> ndarray:
    """Share of the jar that is full, by seconds since the tap was opened."""
    return FULLEST * np.clip(seconds / FILL_SECONDS, 0, 1)


def _tap(stage: Stage) -> Part:
    brush = stage.still((-0.8, -1.0, 0.95, 1.0))
    x, y = brush.x, brush.y
    pipe = np.minimum(shapes.capsule(x, y, (0.66, 0.9), (0.66, -0.62), 0.085),
                      shapes.capsule(x, y, (0.66, -0.62), (0.06, -0.62), 0.085))  # fmt: skip
    pipe = np.minimum(pipe, shapes.box(x, y, SPOUT[0], -0.55, 0.1, 0.13, 0.03))
    brush.paint(pipe, "second", bevel=0.08, gloss=0.8, outline=0.7)
    brush.paint(shapes.capsule(x, y, (0.66, -0.7), HANDLE, 0.05), "second", gloss=0.8, outline=0.7)
    cross = shapes.capsule(x, y, (HANDLE[0] - 0.2, HANDLE[1]), (HANDLE[0] + 0.2, HANDLE[1]), 0.065)
    brush.paint(cross, "accent", bevel=0.06, gloss=0.4, outline=0.8)
    brush.paint(shapes.box(x, y, 0.05, 0.95, 0.82, 0.05, 0.02), "second", outline=0.8)
    return stage.settle(brush)


def _draw(stage: Stage) -> list[Part]:
    half = HALF * between(stage.body.instance, 0, 0.85, 1.05)
    since = since_change(stage)
    full = np.ceil(np.clip((since + 1e-9) / FILL_SECONDS, 0, 1) * STEPS) / STEPS
    running = (since >= 0) & (since < FILL_SECONDS)

    def glass(brush: Brush, code: float) -> None:
        x, y = brush.x, brush.y
        share, runs = code % 10 / STEPS, code >= 10
        body = shapes.box(x, y, 0, (RIM + BOTTOM) / 2, half, (BOTTOM - RIM) / 2, 0.1)
        brush.paint(body, "body", bevel=0.08, outline=0.4, opacity=0.3)
        level = BOTTOM - 0.03 - FULLEST * share * (BOTTOM - RIM)
        if runs:
            end = level if share else BOTTOM - 0.05
            brush.paint(shapes.capsule(x, y, SPOUT, (SPOUT[0], end), 0.05), "accent", grain=1.15, outline=0.4)
        if share:
            water = np.maximum(body + np.float32(0.035), np.float32(level) - y)
            brush.paint(water, "accent", bevel=0.06, outline=0.4, opacity=0.85)
            surface = shapes.ellipse(x, y, 0, level, half - 0.05, 0.05)
            brush.paint(surface, "accent", grain=1.3, outline=0.0, opacity=0.9)
            brush.paint(np.abs(surface) - np.float32(0.015), "light", outline=0.0, opacity=0.8)
        brush.paint(np.abs(body) - np.float32(0.02), "light", outline=0.0, opacity=0.9)
        brush.paint(shapes.box(x, y, 0, RIM, half + 0.02, 0.05, 0.04), "light", outline=0.5, opacity=0.75)
        for place, tall in ((-0.72, 0.32), (0.78, 0.2)):
            shine = shapes.capsule(x, y, (place * half, 0.1), (place * half, 0.1 + tall), 0.03)
            brush.paint(shine, "light", outline=0.0, opacity=0.8)

    code = np.round(full * STEPS) + 10 * running
    return [painted(stage, (-0.6, -0.5, 0.6, 0.95), code, glass), _tap(stage)]


def _pouring(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    """Noise in two narrow bands that follow the air column's first two modes, and a little splashing."""
    rng = stream(source.seed, "water")
    result = np.zeros(samples)
    for event in events:
        clip = span(event.start_seconds, event.start_seconds + FILL_SECONDS, samples)
        length = clip.stop - clip.start
        hertz = resonance_hz(source.pitch_hz, filled(np.arange(length) / SAMPLE_RATE))
        sound = SPLASH * rng.standard_normal(length)
        for multiple, weight in ((1, 1.0), (3, SECOND_MODE)):
            heard = multiple * hertz < TOP_HZ
            phase = 2 * np.pi * np.cumsum(multiple * hertz) / SAMPLE_RATE
            band = _narrow(rng, length) * np.cos(phase) + _narrow(rng, length) * np.sin(phase)
            sound += weight * heard * band
        result[clip] += event.strength * sound * edges(length, 0.002, 0.06)
    return unit_peak(result)


def _narrow(rng: np.random.Generator, length: int) -> ndarray:
    """Slow noise of deviation about 1, already under way at its first sample."""
    lead = SAMPLE_RATE // 50
    slow = filtered([1 - BANDWIDTH_POLE], [1.0, -BANDWIDTH_POLE], rng.standard_normal(length + lead))
    return slow[lead:] / (slow.std() + 1e-9)


def _voice(source: Source, events: tuple[Event, ...], samples: int) -> ndarray:
    clink = struck(source, of_kind(events, CONTACT), samples, RATIOS, WEIGHTS, loss=0.012, contact_seconds=0.0005,
                   transpose=2.0)  # fmt: skip
    return (clink + _pouring(source, of_kind(events, CHANGE), samples)).astype(np.float32)


def _touched(_: Instance, __: str) -> tuple[float, float]:
    return HANDLE


ACTION = Action("fill", ("empty", "full"), _touched, change_seconds=FILL_SECONDS)

KIND = Kind(
    name="jar",
    group="household",
    synonyms=("jar", "glass jar", "jar under a tap"),
    sounds=("fills", "fills with water"),
    rhythm="impacts",
    pitch_range_hz=(260.0, 1040.0),
    extent=_extent,
    draw=_draw,
    voice=_voice,
    crest=20.0,
)
