"""Methods: one file per system of the field. A file in this folder is a method; nothing is registered elsewhere."""

import importlib
import pkgutil

from seehear.configuration import unknown_name
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
