"""Methods: one file per system of the field. A file in this folder is a method; nothing is registered elsewhere."""

import importlib
import pkgutil
from typing import Any

from seehear.configuration import from_dict, unknown_name
from seehear.contracts import Method

NAMES: tuple[str, ...] = tuple(sorted(m.name for m in pkgutil.iter_modules(__path__)))


def get(name: str) -> type[Method]:
    """The method class of file `name`: the one subclass of Method that the file itself defines.

    Raises:
        UsageError: if there is no such method.
    """
    if name not in NAMES:
        raise unknown_name(f"method {name!r}", name, NAMES)
    module = importlib.import_module(f"{__name__}.{name}")
    found = [
        v
        for v in vars(module).values()
        if isinstance(v, type) and issubclass(v, Method) and v.__module__ == module.__name__ and "Config" in vars(v)
    ]
    return found[0]


def config(values: dict[str, Any]) -> Any:
    """The Config that a plain dict with its entry `method` stands for.

    Raises:
        UsageError: if there is no such method, or a key or value is not one of its Config's.
    """
    return from_dict(get(values["method"]).Config, values, "method.")
