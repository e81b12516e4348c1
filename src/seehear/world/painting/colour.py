"""The colour law: one for every class, part and level, so that colour never tells a class.

Hue is uniform and free for every role; saturation and value depend on the role (body, second body, dark detail,
light detail, accent) and on nothing else. What kind of thing it is shows in parts, edges and grain only.
"""

import numpy as np
from numpy.random import Generator

from seehear.world.scenes import Colour

ROLES = ("body", "second", "dark", "light", "accent")
_VALUES = {"body": (0.6, 0.9), "second": (0.45, 0.75), "dark": (0.08, 0.22), "light": (0.9, 1.0), "accent": (0.5, 0.95)}
_SATURATIONS = {"dark": (0.1, 0.6), "light": (0.02, 0.2)}


def draw_palette(rng: Generator) -> tuple[Colour, ...]:
    """One colour (hue, saturation, value) per role."""
    return tuple(
        (rng.uniform(), rng.uniform(*_SATURATIONS.get(role, (0.15, 0.7))), rng.uniform(*_VALUES[role]))
        for role in ROLES
    )


def draw_muted(rng: Generator, count: int) -> tuple[Colour, ...]:
    """Background colours: any hue, low saturation, middle value."""
    return tuple((rng.uniform(), rng.uniform(0.05, 0.35), rng.uniform(0.36, 0.52)) for _ in range(count))


def rgb(colour: Colour) -> np.ndarray:
    """Red, green, blue `[3]` float32 of a (hue, saturation, value) colour."""
    hue, saturation, value = colour
    k = (np.array([5.0, 3.0, 1.0]) + hue * 6) % 6
    return (value * (1 - saturation * np.clip(np.minimum(k, 4 - k), 0, 1))).astype(np.float32)
