"""Mimed actions, level 3: a silent body's striker swings at times of its own, stops short, and nothing is heard.

Only classes with a visible striker can miss; what strings, beaks and wheels do cannot be told from playing.
"""

import dataclasses

from numpy.random import Generator

from seehear.world.drawing import rhythm
from seehear.world.scenes import Body, Mime, Source

STRIKERS = ("bell", "wood bar", "drum", "glass cup", "ceramic bell")


def draw_mimes(
    rng: Generator, bodies: tuple[Body, ...], sources: tuple[Source, ...], share: float, seconds: float
) -> tuple[Mime, ...]:
    """In a `share` of the clips, the first silent striker (if there is one) mimes."""
    sounding = {source.body for source in sources}
    silent = [k for k, body in enumerate(bodies) if k not in sounding and body.instance.kind in STRIKERS]
    if rng.uniform() >= share or not silent:
        return ()
    events = rhythm.schedule(rng, "impacts", -1, seconds)
    return (Mime(silent[0], tuple(dataclasses.replace(event, kind="miss") for event in events)),)
