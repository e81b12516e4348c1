"""The eight actions of track I, and the Markov chain that says which follows which.

Two permutations give every action a likely successor and a second one; the rest share what is left, none follows
itself. Columns sum to 1 like rows, so all actions are equally frequent and only the last one tells the next.

Legend: V = 8 actions.
"""

import importlib
from functools import cache

import numpy as np
from numpy import ndarray

from seehear.world.classes import kind
from seehear.world.interactions.states import Action
from seehear.world.painting.canvas import Stage
from seehear.world.scenes import Body

NOUNS = ("cup", "lamp", "door", "jar", "balloon", "nail", "candle", "pot")
LIKELY, SECOND = 0.55, 0.2
STEPS = (3, 5)  # places in `NOUNS` from an action to its likely and to its second successor


@cache
def action(noun: str) -> Action:
    """What a hand does to a thing."""
    return importlib.import_module(f"seehear.world.interactions.{noun}").ACTION


@cache
def label(noun: str) -> str:
    """Verb and noun, as in "break cup"."""
    return f"{action(noun).verb} {noun}"


def chain() -> ndarray:
    """Probability `[V, V]` that one action (row) is followed by another (column)."""
    count = len(NOUNS)
    table = np.full((count, count), (1 - LIKELY - SECOND) / (count - 3))
    for row in range(count):
        table[row, row] = 0.0
        table[row, (row + STEPS[0]) % count] = LIKELY
        table[row, (row + STEPS[1]) % count] = SECOND
    return table


def contact_place(body: Body, state: str) -> tuple[float, float]:
    """Where in the picture a thing in a state is touched, as shares of width and height."""
    own = kind(body.instance.kind)
    x0, y0, x1, y1 = own.extent(body.instance)
    centre, half = ((x0 + x1) / 2, (y0 + y1) / 2), max(x1 - x0, y1 - y0) / 2
    stage = Stage(body, (), np.zeros(0), 1, 1, np.array([0.0, 0.0, 1.0]), centre, half)
    x, y = action(body.instance.kind).touched(body.instance, state)
    column, row = stage.to_picture(np.array(x), np.array(y))
    return float(column), float(row)
