"""Figures as JSON, as a plain-text table, and held against their chance."""

import dataclasses
import fnmatch
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from seehear.configuration import from_dict
from seehear.contracts import Figure
from seehear.errors import DataError, StorageError, UsageError

FORMAT_VERSION = 1
_SMALL = 1e-3


def to_json(figures: Iterable[Figure]) -> str:
    """Figures as a JSON text: `{"format": 1, "figures": [...]}`.

    Raises:
        DataError: if a number is NaN or infinite.
    """
    plain = [dataclasses.asdict(figure) for figure in figures]
    try:
        return json.dumps({"format": FORMAT_VERSION, "figures": plain}, allow_nan=False, ensure_ascii=False, indent=1)
    except ValueError as error:
        bad = next(p["name"] for p in plain if not _finite(p))
        raise DataError(f"the figure {bad!r} holds NaN or infinity", cause="a measurement that failed") from error


def from_json(text: str | bytes) -> list[Figure]:
    """The figures of `to_json`.

    Raises:
        StorageError: if the text is damaged or of another format.
    """
    try:
        plain = json.loads(text)
        if not isinstance(plain, dict) or plain.get("format") != FORMAT_VERSION:
            raise StorageError("the figures are of another format", expected=f"format {FORMAT_VERSION}")
        return [from_dict(Figure, values, "figure.") for values in plain["figures"]]
    except (ValueError, KeyError, TypeError, UsageError) as error:
        raise StorageError(f"the figures are damaged ({error})", cure="evaluate again") from error


def write_figures(figures: Iterable[Figure], path: Path | str) -> None:
    """Write figures as JSON.

    Raises:
        DataError: if a number is NaN or infinite.
        StorageError: if the file cannot be written.
    """
    text = to_json(figures)
    try:
        Path(path).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}") from error


def read_figures(path: Path | str) -> list[Figure]:
    """Read what `write_figures` wrote.

    Raises:
        StorageError: if the file is missing, damaged or of another format.
    """
    try:
        return from_json(Path(path).read_bytes())
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error


def times_chance(figure: Figure, lower_bound: bool = False) -> float | None:
    """How many times chance a figure is, or its lower bound; None without chance, a bound, or where lower is better."""
    value = figure.lower_bound if lower_bound else figure.value
    if not figure.higher_is_better or not figure.chance or value is None:
        return None
    return value / figure.chance


def below_chance_factor(
    figures: Iterable[Figure], factor: float, pattern: str = "*", lower_bound: bool = False
) -> list[Figure]:
    """The figures named like `pattern` that are less than `factor` times chance: empty if all pass.

    Args:
        figures: all figures.
        factor: how many times chance is asked.
        pattern: shell-like, e.g. "retrieval/*/R@10".
        lower_bound: ask it of the lower 95 % bound.

    Raises:
        UsageError: if no figure matches, or one that does has no chance (or bound) to hold it against.
    """
    matching = [f for f in figures if fnmatch.fnmatchcase(f.name, pattern)]
    if not matching:
        raise UsageError(f"no figure is named like {pattern!r}", expected="at least one to check")
    short = []
    for figure in matching:
        times = times_chance(figure, lower_bound)
        if times is None:
            raise UsageError(f"{figure.name} cannot be held against chance", expected="chance and a bound to check")
        if times < factor:
            short.append(figure)
    return short


COLUMNS = ("figure", "value", "95 % from", "chance", "x chance", "untrained", "floors", "ceiling")


def rows(figures: Iterable[Figure]) -> list[tuple[str, ...]]:
    """One row of texts per figure, under `COLUMNS`; "-" where there is nothing."""
    return [_row(figure) for figure in figures]


def table(figures: Iterable[Figure], notes: bool = True) -> str:
    """A plain-text table with floors and ceilings beside each figure, and the protocols below it."""
    found = list(figures)
    lines = [COLUMNS, *rows(found)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    text = [_line(line, widths) for line in lines]
    text.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([*text, *(_notes(found) if notes else ())])


def _row(figure: Figure) -> tuple[str, ...]:
    times = times_chance(figure)
    floors = ", ".join(f"{name} {_number(value)}" for name, value in figure.baselines.items())
    return (
        figure.name + ("" if figure.higher_is_better else " (lower is better)"),
        _number(figure.value),
        _number(figure.lower_bound),
        _number(figure.chance),
        "-" if times is None else f"{times:.1f}",
        _number(figure.untrained),
        floors or "-",
        _number(figure.ceiling),
    )


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if value and abs(value) < _SMALL:
        return f"{value:.1e}"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.3f}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cells[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True))]
    return "  ".join(padded).rstrip()


def _notes(figures: Sequence[Figure]) -> list[str]:
    """Each protocol once, with the figures it is of."""
    by_note: dict[str, list[str]] = {}
    for figure in figures:
        if figure.note:
            by_note.setdefault(figure.note, []).append(figure.name)
    return ["", *(f"{', '.join(names)}: {note}" for note, names in by_note.items())] if by_note else []


def _finite(values: dict[str, Any]) -> bool:
    numbers = [*values.values(), *values["baselines"].values()]
    return all(math.isfinite(v) for v in numbers if isinstance(v, float))
