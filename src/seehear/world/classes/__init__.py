"""The classes of the world, in label order. To add one: write its file here and append its name."""

import importlib
from functools import cache

from seehear.configuration import unknown_name
from seehear.world.kinds import Kind

NAMES = ("bell", "wood bar", "drum", "lute", "fiddle", "rain", "engine", "bird")


@cache
def kind(name: str) -> Kind:
    """The class of a name.

    Raises:
        UsageError: if there is no such class.
    """
    if name not in NAMES:
        raise unknown_name(f"class {name!r}", name, NAMES)
    return importlib.import_module(f"seehear.world.classes.{name.replace(' ', '_')}").KIND
