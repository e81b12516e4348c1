"""The classes of the world, in the order of the plan. To add one: write its file here and enter its name."""

import importlib
from functools import cache

from seehear.configuration import unknown_name
from seehear.world.kinds import Kind

CORE = ("bell", "wood bar", "drum", "lute", "fiddle", "rain", "engine", "bird")  # of the presets with 8 classes
NAMES = (
    *CORE,
    "glass cup",
    "ceramic bell",
    "harp",
    "flute",
    "horn",
    "fan",
    "fire",
    "shaker",
    "dog",
    "frog",
    "ball",
    "walker",
)
OTHERS: dict[str, str] = {  # bodies of single tracks: name to module
    "loudspeaker": "classes.loudspeaker",
    "face": "speech.face",
    "digit": "digits.card",
    "hand": "interactions.hand",
    "hammer": "interactions.hammer",
    "cup": "interactions.cup",
    "lamp": "interactions.lamp",
    "door": "interactions.door",
    "jar": "interactions.jar",
    "balloon": "interactions.balloon",
    "nail": "interactions.nail",
    "candle": "interactions.candle",
    "pot": "interactions.pot",
}


@cache
def kind(name: str) -> Kind:
    """The class of a name, or a body of a single track.

    Raises:
        UsageError: if there is no such class.
    """
    if name in OTHERS:
        return importlib.import_module(f"seehear.world.{OTHERS[name]}").KIND
    if name not in NAMES:
        raise unknown_name(f"class {name!r}", name, NAMES)
    return importlib.import_module(f"seehear.world.classes.{name.replace(' ', '_')}").KIND
