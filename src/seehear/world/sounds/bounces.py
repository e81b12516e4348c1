"""Bounces: when a dropped ball touches the floor, and the rubber thud it makes.

With restitution e every interval between contacts is the last one times e, and every impact's speed too, so energy
falls by e squared. The thud is a soft shell struck by a long contact (see `modal`), with a slap of the skin.

Legend: S samples.
"""

import dataclasses

from numpy import ndarray

from seehear.world.scenes import Event, Source
from seehear.world.sounds.modal import struck

RATIOS = (1.0, 1.83, 2.71, 4.2, 9.5)  # a thin pressurised shell, and the air in it
WEIGHTS = (1.0, 0.6, 0.4, 0.25, 0.08)
LOSS, CONTACT_SECONDS = 0.09, 0.004
SHORTEST_INTERVAL = 0.04  # seconds; then the ball lies still
TOUCH_SECONDS = 0.06


def contacts(events: tuple[Event, ...], restitution: float, interval: float) -> tuple[Event, ...]:
    """Every contact of balls dropped so that each event's start is a first contact, `interval` seconds the next gap."""
    result = []
    for event in events:
        time, speed, gap = event.start_seconds, event.strength, interval
        while time < event.stop_seconds:
            stop = min(event.stop_seconds, time + min(gap, TOUCH_SECONDS))
            times = {"start_seconds": round(time, 6), "stop_seconds": round(stop, 6)}
            result.append(dataclasses.replace(event, kind="bounce", strength=round(speed, 6), **times))
            if gap < SHORTEST_INTERVAL:
                break
            time, speed, gap = time + gap, speed * restitution, gap * restitution
    return tuple(result)


def thudding(source: Source, touches: tuple[Event, ...], samples: int, *, slap: float) -> ndarray:
    """Sound of the contacts, `[S]` float32; `slap` is the share of skin noise."""
    return struck(
        source, touches, samples, RATIOS, WEIGHTS,
        loss=LOSS, contact_seconds=CONTACT_SECONDS, click=slap, rayleigh_share=0.5,
    )  # fmt: skip
