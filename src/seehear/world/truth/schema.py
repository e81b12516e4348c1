"""The check of a clip's truth against its declared fields: what is missing, mistyped, misshapen or at odds is named.

Legend: N bodies, K sources, E events, T frames.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from seehear.configuration import unknown_name
from seehear.errors import DataError
from seehear.world.truth.fields import FIELDS, SCHEMA_VERSION, Field

_TYPES = {"number": (int, float), "integer": (int,), "text": (str,), "flag": (bool,)}
_ARRAYS = {"number": "iuf", "integer": "iu", "text": "U", "flag": "b"}  # NumPy's letters for what lists may become
_PLURALS = {
    "any": "values",
    "number": "numbers",
    "integer": "whole numbers",
    "text": "texts",
    "flag": "true or false values",
}
_FAR = 2.0**62  # beyond all that can be meant, within what arrays hold
_SINGULARS = {
    "any": "some value",
    "number": "a finite number",
    "integer": "a whole number",
    "text": "a text",
    "flag": "true or false",
}


def check_truth(truth: Any, *, strict: bool = False, where: str = "truth") -> None:
    """Refuse what is not the truth of a clip.

    Args:
        truth: what was read from a manifest or a table.
        strict: refuse fields that are not declared, or not for this track; otherwise they are let pass.
        where: how messages call it.

    Raises:
        DataError: naming the field, what was found and what was expected.
    """
    if not isinstance(truth, Mapping):
        raise DataError(f"{where} is {_short(truth)}", expected="an object of named values")
    _check_version(truth, where)
    _Check(str(truth.get("track")), strict).record(truth, FIELDS, where)
    _check_relations(truth, where)


def _check_version(truth: Mapping[str, Any], where: str) -> None:
    found = truth.get("schema")
    if found is None:
        raise DataError(
            f"{where}.schema is missing",
            expected=str(SCHEMA_VERSION),
            cause="a world of an earlier release, or a clip that is not of the world",
            cure="build the world again",
        )
    if not isinstance(found, int) or found != SCHEMA_VERSION:
        newer = isinstance(found, int) and found > SCHEMA_VERSION
        raise DataError(
            f"{where}.schema is {_short(found)}",
            expected=str(SCHEMA_VERSION),
            cause="a world of a newer release" if newer else "a damaged or foreign truth",
            cure="pip install --upgrade seehear" if newer else "build the world again",
        )


class _Check:
    """One pass over a clip's truth: what the letters of shapes stand for is remembered."""

    def __init__(self, track: str, strict: bool):
        self._track, self._strict = track, strict
        self._counts: dict[str, int] = {}

    def record(self, value: Any, fields: tuple[Field, ...], where: str) -> None:
        """Check the fields of a record."""
        if not isinstance(value, Mapping):
            raise DataError(f"{where} is {_short(value)}", expected="an object of named values")
        known = {own.name: own for own in fields if self._track in (own.tracks or self._track)}
        if self._strict:
            for name in value:
                if name not in known:
                    raise _unknown(f"{where}.{name}", str(name), known)
        for name, own in known.items():
            if name in value:
                self._field(value[name], own, f"{where}.{name}")
            elif not own.optional:
                raise DataError(f"{where}.{name} is missing", expected=_wanted(own))

    def _field(self, value: Any, own: Field, where: str) -> None:
        if own.kind == "any" or (value is None and own.nullable):
            return
        if own.kind != "record":
            self._array(value, own, where) if own.shape else _check_single(value, own, where)
        elif not own.shape:
            self.record(value, own.fields, where)
        else:
            if not isinstance(value, list | tuple):
                raise DataError(f"{where} is {_short(value)}", expected=_wanted(own))
            self._shape((len(value),), own, where)
            for place, item in enumerate(value):
                self.record(item, own.fields, f"{where}[{place}]")

    def _array(self, value: Any, own: Field, where: str) -> None:
        found = array_of(value, where, own)
        if found.size or len(own.axes) == 1:
            self._shape(found.shape, own, where)
        else:  # nothing in it: lists cannot say how many there are along later axes
            self._shape((len(found), *(self._counts.get(axis, 0) for axis in own.axes[1:])), own, where)

    def _shape(self, shape: tuple[int, ...], own: Field, where: str) -> None:
        wanted = [_count(axis, self._counts) for axis in own.axes]
        fits = len(shape) == len(wanted) and all(w in (None, n) for w, n in zip(wanted, shape, strict=True))
        if not fits:
            said = [
                f"{axis} = {n}" for axis, n in zip(own.axes, wanted, strict=True) if n is not None and axis != str(n)
            ]
            raise DataError(
                f"{where} has the shape {list(shape)}",
                expected=own.shape + (f" with {', '.join(said)}" if said else ""),
            )
        self._counts |= {axis: n for axis, n in zip(own.axes, shape, strict=True) if axis.isalpha()}


def _count(axis: str, counts: dict[str, int]) -> int | None:
    """How long an axis must be, or None if that is not known."""
    return int(axis) if axis.isdigit() else counts.get(axis)


def array_of(value: Any, where: str, own: Field) -> ndarray:
    """A list of the truth as an array.

    Raises:
        DataError: if it is no list, is ragged, or holds something else.
    """
    if not isinstance(value, list | tuple | ndarray):
        raise DataError(f"{where} is {_short(value)}", expected=_wanted(own))
    try:
        found = np.asarray(value)
    except ValueError as error:
        raise DataError(f"{where} has rows of different lengths", expected=_wanted(own)) from error
    if found.size and found.dtype.kind not in _ARRAYS[own.kind]:
        raise DataError(f"{where} holds {_short(value)}", expected=_wanted(own))
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise DataError(f"{where} holds numbers that are not finite", expected=_wanted(own))
    if own.range is not None and found.size and (found.min() < own.range[0] or found.max() > own.range[1]):
        raise DataError(f"{where} holds values from {found.min():g} to {found.max():g}", expected=_wanted(own))
    return found


def _check_single(value: Any, own: Field, where: str) -> None:
    fits = isinstance(value, _TYPES[own.kind]) and isinstance(value, bool) == (own.kind == "flag")
    if fits and isinstance(value, int | float):
        least, most = own.range or (-_FAR, _FAR)
        fits = least <= value <= most
    if not fits:
        raise DataError(f"{where} is {_short(value)}", expected=_wanted(own))


def _check_relations(truth: Mapping[str, Any], where: str) -> None:
    """What fields say of each other."""
    objects, sources = truth["objects"], truth["sources"]
    for place, item in enumerate(objects):
        boxes = np.asarray(item["boxes"]).reshape(-1, 4)
        if (boxes[:, :2] > boxes[:, 2:]).any():
            raise DataError(f"{where}.objects[{place}].boxes has x0 > x1 or y0 > y1", expected="x0, y0, x1, y1")
    for place, item in enumerate(sources):
        body = item["object"]
        if body is not None and not 0 <= body < len(objects):
            raise DataError(f"{where}.sources[{place}].object is {body}", expected=f"null, or 0 to {len(objects) - 1}")
        if item["on_screen"] != (body is not None):
            raise DataError(
                f"{where}.sources[{place}].on_screen is {item['on_screen']}", expected=f"agreement with object {body}"
            )
    for place, item in enumerate(truth["events"]):
        if not 0 <= item["source"] < len(sources):
            raise DataError(f"{where}.events[{place}].source is {item['source']}", expected=f"0 to {len(sources) - 1}")
        if item["t_off"] < item["t_on"]:
            raise DataError(
                f"{where}.events[{place}] lasts from {item['t_on']} to {item['t_off']} s", expected="t_on <= t_off"
            )


def _wanted(own: Field) -> str:
    limits = " in {:g} to {:g}".format(*own.range) if own.range else ""
    if own.kind == "record":
        return f"a list {own.shape} of objects" if own.shape else "an object of named values"
    what = f"{_PLURALS[own.kind]} {own.shape}" if own.shape else _SINGULARS[own.kind]
    return what + limits + (" or null" if own.nullable else "")


def _unknown(path: str, name: str, known: Mapping[str, Field]) -> DataError:
    near = unknown_name(path, name, known).cure
    return DataError(
        f"{path} is not a declared field", expected=f"only fields of schema {SCHEMA_VERSION}", cure=near and f"{near}?"
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
