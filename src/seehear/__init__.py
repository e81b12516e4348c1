"""SeeHear: one network that sees and hears, taught by unlabelled video.

Heavy libraries are imported where they are used; `import seehear` itself loads none of them.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
_ROOMS = ("clips", "methods", "metrics", "recipes", "signals", "tasks", "training", "weights", "world")

if TYPE_CHECKING:
    from seehear.weights import load as load


def __getattr__(name: str) -> Any:
    """Open a room, or `load`, on first use."""
    if name in _ROOMS:
        return importlib.import_module(f"seehear.{name}")
    if name == "load":
        return importlib.import_module("seehear.weights").load
    raise AttributeError(f"module 'seehear' has no attribute {name!r}")
