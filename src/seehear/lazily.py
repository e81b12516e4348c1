"""Public names that load the file they live in on first use, so that opening a room costs nothing heavy."""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazily(room: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """A package's `__getattr__` and `__dir__` (PEP 562).

    Args:
        room: the package's `__name__`.
        homes: name of the file, within the package, that holds each public name.
    """

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{room}.{homes[name]}"), name)
        setattr(sys.modules[room], name, value)
        return value

    return load, lambda: sorted({*vars(sys.modules[room]), *homes})
