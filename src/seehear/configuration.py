"""Recipe plumbing: typed dataclasses to JSON and back, with errors that name the nearest valid key.

A configuration is a tree of frozen dataclasses. A field that may hold one of several classes (a method's Config)
is written with a `method` entry that names the file in `seehear.methods` it comes from.
"""

import dataclasses
import difflib
import hashlib
import importlib
import json
import types
import typing
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from seehear.errors import UsageError

T = TypeVar("T")


def to_dict(configuration: Any) -> dict[str, Any]:
    """A plain JSON-ready dict of a configuration."""
    result: dict[str, Any] = {}
    if hasattr(type(configuration), "method"):
        result["method"] = type(configuration).method
    for item in dataclasses.fields(configuration):
        result[item.name] = _plain(getattr(configuration, item.name))
    return result


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_dict(value)
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    return str(value) if isinstance(value, Path) else value


def from_dict(kind: type[T], values: dict[str, Any], where: str = "") -> T:
    """Build a dataclass of `kind` from a plain dict.

    Raises:
        UsageError: on an unknown key (the nearest valid one is named) or a value of the wrong type.
    """
    if hasattr(kind, "method"):
        values = {k: v for k, v in values.items() if k != "method"}
    hints = typing.get_type_hints(kind)
    names = [f.name for f in dataclasses.fields(kind)]  # type: ignore[arg-type]
    for key in values:
        if key not in names:
            raise unknown_name(f"configuration key {where + key!r}", key, names)
    return kind(**{key: _typed(hints[key], value, f"{where}{key}") for key, value in values.items()})


def method_config(name: str) -> type:
    """The Config class of a method, found by its file's name.

    Raises:
        UsageError: if there is no such method.
    """
    methods = importlib.import_module("seehear.methods")
    if name not in methods.NAMES:
        raise unknown_name(f"method {name!r}", name, methods.NAMES)
    return methods.get(name).Config


def unknown_name(what: str, name: str, valid: typing.Iterable[str]) -> UsageError:
    """The error for a name that is not among the valid ones, naming the nearest."""
    valid = sorted(valid)
    near = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else ""
    return UsageError(f"unknown {what}", expected=f"one of {', '.join(valid)}", cure=hint)


def _typed(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        if isinstance(value, dict) and "method" in value:
            return from_dict(method_config(value["method"]), value, where + ".")
        return value
    if origin in (Union, types.UnionType):
        return None if value is None else _first_fitting([a for a in arguments if a is not type(None)], value, where)
    if origin is Literal:
        if value not in arguments:
            raise unknown_name(f"value {value!r} of {where}", str(value), [str(a) for a in arguments])
        return value
    if dataclasses.is_dataclass(hint):
        return from_dict(typing.cast(type, hint), value, where + ".")
    if origin is tuple:
        inner = arguments[0] if len(arguments) == 2 and arguments[1] is Ellipsis else None
        return tuple(_typed(inner or arguments[i], v, f"{where}[{i}]") for i, v in enumerate(value))
    if origin is dict:
        return {k: _typed(arguments[1], v, f"{where}.{k}") for k, v in value.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and (not isinstance(value, hint) or (hint is int and isinstance(value, bool))):
        raise UsageError(f"{where} is {value!r}", expected=f"a value of type {hint.__name__}")
    return value


def _first_fitting(hints: list[Any], value: Any, where: str) -> Any:
    for hint in hints[:-1]:
        try:
            return _typed(hint, value, where)
        except UsageError:
            continue
    return _typed(hints[-1], value, where)


def fingerprint(configuration: Any) -> str:
    """A short hash of a configuration (or of any JSON-ready value), equal wherever the values are."""
    plain = to_dict(configuration) if dataclasses.is_dataclass(configuration) else configuration
    return hashlib.blake2b(json.dumps(plain, sort_keys=True).encode(), digest_size=8).hexdigest()
