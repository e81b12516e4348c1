"""Figures as text: how a figure is named and printed, and tables for the terminal and for Markdown."""

import math
import re
from collections.abc import Iterable

from seehear.contracts import Figure

COLUMNS = ("figure", "value", "95 % from", "times chance", "chance", "untrained", "baselines", "ceiling", "protocol")
NOTHING, TIMES = "\u2013", "\u00d7"  # a dash; the sign of multiplication
_WORDS = {"audio": "sound", "image": "picture", "knn": "kNN", "map": "mAP", "auc": "AUC", "mse": "MSE"}


def parts_of(name: str) -> tuple[str, str]:
    """Task and figure in words: "retrieval/audio-to-image/R@10" -> ("Retrieval", "sound → picture · R@10")."""
    words = [" ".join(_WORDS.get(word.lower(), word) for word in _spaced(part)) for part in name.split("/")]
    task = words[0] if words[0] in _WORDS.values() else words[0][:1].upper() + words[0][1:]
    return (task, " · ".join(words[1:])) if len(words) > 1 else ("", words[0])


def _spaced(part: str) -> list[str]:
    """Words; a hyphen before a digit stays ("top-1")."""
    return re.sub(r"[-_](?!\d)", " ", part.replace("-to-", " → ")).split(" ")


def is_share(figure: Figure) -> bool:
    """Whether the figure is a share of 1, to be printed in percent: more is better, and all its numbers lie in 0..1.

    A figure with nothing to be read against is printed as it is.
    """
    against = references(figure)
    shares = all(0 <= x <= 1 for x in (figure.value, *against.values()))
    return figure.higher_is_better and bool(against) and shares and not figure.name.endswith("/d'")


def references(figure: Figure) -> dict[str, float]:
    """Chance, untrained, baselines and ceiling by name: those that are there and finite."""
    named = {"chance": figure.chance, "untrained": figure.untrained, **figure.baselines, "ceiling": figure.ceiling}
    return {name: float(value) for name, value in named.items() if value is not None and math.isfinite(value)}


def format_number(value: float | int | None) -> str:
    """Three significant digits; whole numbers in full with separators; a dash for what is missing."""
    if value is None:
        return NOTHING
    if not math.isfinite(value):
        return "not finite"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    if not 1e-3 <= abs(value) < 1e6:
        return f"{value:.2e}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def format_value(figure: Figure, value: float | None) -> str:
    """A number of this figure: in percent if it is a share."""
    if value is None or not math.isfinite(value) or not is_share(figure):
        return format_number(value)
    percent = 100 * value
    return f"{percent:.0f} %" if percent >= 99.95 or percent == 0 else f"{percent:.{1 if percent >= 1 else 2}f} %"


def times_chance(figure: Figure) -> float | None:
    """How many times better than a guess; where less is better, chance divided by the value. None without both."""
    if figure.chance is None or not (math.isfinite(figure.chance) and math.isfinite(figure.value)):
        return None
    over, under = (figure.value, figure.chance) if figure.higher_is_better else (figure.chance, figure.value)
    return over / under if over >= 0 and under > 0 else None


def format_times(figure: Figure) -> str:
    """How many times chance, with the sign of multiplication; or a dash."""
    times = times_chance(figure)
    return NOTHING if times is None else f"{times:.1f}{TIMES}" if times < 100 else f"{times:,.0f}{TIMES}"


def cells(figure: Figure) -> tuple[str, ...]:
    """One row of the table, in the order of `COLUMNS`."""
    task, label = parts_of(figure.name)
    baselines = ", ".join(f"{name} {format_value(figure, value)}" for name, value in figure.baselines.items())
    arrow = "" if figure.higher_is_better else " (less is better)"
    name = (f"{task}: {label}" if task else label) + arrow
    numbers = [format_value(figure, x) for x in (figure.chance, figure.untrained)]
    ceiling = format_value(figure, figure.ceiling)
    value, bound = (format_value(figure, x) for x in (figure.value, figure.lower_bound))
    return name, value, bound, format_times(figure), *numbers, baselines or NOTHING, ceiling, figure.note


def as_text(figures: Iterable[Figure]) -> str:
    """The table in plain text with aligned columns; columns in which nothing stands are left out. "" for no figures."""
    rows = _table(figures)
    if not rows:
        return ""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    lines = []
    for row in rows:
        numbers = (cell.ljust(w) if i in _left(rows[0]) else cell.rjust(w) for i, (cell, w) in _enumerated(row, widths))
        lines.append("  ".join(numbers).rstrip())
    return "\n".join(lines) + "\n"


def as_markdown(figures: Iterable[Figure]) -> str:
    """The table in Markdown; columns in which nothing stands are left out. "" for no figures."""
    rows = _table(figures)
    if not rows:
        return ""
    left = _left(rows[0])
    rule = [":--" if index in left else "--:" for index in range(len(rows[0]))]
    escaped = [[" ".join(cell.replace("\\", "\\\\").replace("|", "\\|").split()) for cell in row] for row in rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in [escaped[0], rule, *escaped[1:]])


def _table(figures: Iterable[Figure]) -> list[list[str]]:
    """Header and rows without the columns in which nothing stands."""
    rows = [cells(figure) for figure in figures]
    if not rows:
        return []
    filled = [i for i in range(len(COLUMNS)) if any(row[i] not in ("", NOTHING) for row in rows)]
    return [[row[i] for i in filled] for row in [COLUMNS, *rows]]


def _left(header: list[str]) -> set[int]:
    """Columns that hold words."""
    return {index for index, name in enumerate(header) if name in ("figure", "baselines", "protocol")}


def _enumerated(row: list[str], widths: list[int]) -> enumerate:
    return enumerate(zip(row, widths, strict=True))
