"""Recipe plumbing: typed dataclasses to JSON and back, with errors that name the nearest valid key.

A configuration is a tree of frozen dataclasses. A field that may hold one of several classes (a method's Config)
is written with a `method` entry that names the file it comes from, and stays a plain dict here: whoever declares the
field makes it what it names (`training.RunConfig` by `methods.config`).
"""

import dataclasses
import difflib
import hashlib
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
    if _is_method(type(configuration)):
        result["method"] = type(configuration).method
    for item in dataclasses.fields(configuration):
        result[item.name] = _plain(getattr(configuration, item.name))
    return result


def _is_method(kind: type) -> bool:
    """Whether a class carries its method's name (and not merely a field that is called `method`)."""
    return hasattr(kind, "method") and "method" not in {f.name for f in dataclasses.fields(kind)}


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
        UsageError: on an unknown key (the nearest valid one is named), a missing one, or a value of the wrong type.
    """
    _expect(isinstance(values, dict), where.rstrip(".") or "the configuration", values, "an object of named values")
    if _is_method(kind):
        values = {k: v for k, v in values.items() if k != "method"}
    hints = typing.get_type_hints(kind)
    names = [f.name for f in dataclasses.fields(kind)]  # type: ignore[arg-type]
    for key in values:
        if key not in names:
            raise unknown_name(f"configuration key {where + key!r}", key, names)
    for item in dataclasses.fields(kind):  # type: ignore[arg-type]
        required = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        if required and item.name not in values:
            raise UsageError(f"configuration key {where + item.name!r} is missing", expected="a value for it")
    return kind(**{key: _typed(hints[key], value, f"{where}{key}") for key, value in values.items()})


def unknown_name(what: str, name: str, valid: typing.Iterable[str]) -> UsageError:
    """The error for a name that is not among the valid ones, naming the nearest."""
    valid = sorted(valid)
    near = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    return UsageError(f"unknown {what}", expected=f"one of {', '.join(valid)}", cure=near[0] if near else "")


def _typed(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        return None if value is None else _first_fitting([a for a in arguments if a is not type(None)], value, where)
    if origin is Literal:
        if value not in arguments:
            raise unknown_name(f"value {value!r} of {where}", str(value), [str(a) for a in arguments])
        return value
    if dataclasses.is_dataclass(hint):
        return from_dict(typing.cast(type, hint), value, where + ".")
    if origin in (tuple, list):
        return _sequence(origin, arguments, value, where)
    if origin is dict:
        _expect(isinstance(value, dict), where, value, "an object of named values")
        return {k: _typed(arguments[1], v, f"{where}.{k}") for k, v in value.items()}
    return _scalar(hint, value, where)


def _sequence(kind: type, arguments: tuple[Any, ...], value: Any, where: str) -> Any:
    _expect(isinstance(value, list | tuple), where, value, "a list of values")
    if kind is list or (len(arguments) == 2 and arguments[1] is Ellipsis):
        arguments = arguments[:1] * len(value)
    _expect(len(value) == len(arguments), where, value, f"{len(arguments)} values")
    return kind(_typed(hint, v, f"{where}[{i}]") for i, (hint, v) in enumerate(zip(arguments, value, strict=True)))


def _scalar(hint: Any, value: Any, where: str) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if isinstance(hint, type):
        fits = isinstance(value, hint) and not (hint is int and isinstance(value, bool))
        _expect(fits, where, value, f"a value of type {hint.__name__}")
    return value


def _expect(fits: bool, where: str, value: Any, expected: str) -> None:
    if not fits:
        raise UsageError(f"{where} is {value!r}", expected=expected)


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
