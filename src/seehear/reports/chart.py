"""Line charts as inline SVG: crisp, themed by the page, with the numbers as a table beside them.

Legend: N points of one curve.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from seehear.errors import UsageError
from seehear.reports.markup import Markup, element
from seehear.reports.page import Curve
from seehear.reports.table import format_number

WIDTH, HEIGHT = 360, 210
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 26
MOST_POINTS = 150  # more are drawn as the mean of each stretch within the band of its smallest and largest value
TABLE_ROWS = 12
TINTS = 4  # colours, each with a dash of its own


T = TypeVar("T", bound=Any)  # a float or an array


class Axis:
    """A linear scale from values to user units of the drawing, with round ticks."""

    def __init__(self, low: float, high: float, start: float, end: float, ticks: int):
        if not high > low:
            margin = abs(low) * 0.1 or 1.0
            low, high = low - margin, high + margin
        self.low, self.high, self.start, self.end = low, high, start, end
        self.ticks = round_ticks(low, high, ticks)

    def __call__(self, value: T) -> T:
        """Where values lie, in user units."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def round_ticks(low: float, high: float, count: int) -> list[float]:
    """About `count` multiples of 1, 2 or 5 times a power of ten within [low, high]."""
    rough = (high - low) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((m * power for m in (1, 2, 5, 10)), key=lambda s: abs(math.log(s / rough)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)]


def thin(steps: np.ndarray, values: np.ndarray) -> np.ndarray:
    """`[N]`, `[N]` -> `[M, 4]` with M at most `MOST_POINTS`: step, mean, smallest, largest; gaps are NaN rows.

    Raises:
        UsageError: if the lengths differ.
    """
    if steps.shape != values.shape or steps.ndim != 1:
        raise UsageError(
            f"a curve has steps {steps.shape} and values {values.shape}", expected="two rows of one length"
        )
    order = np.argsort(steps, kind="stable")
    steps, values = steps[order].astype(float), values[order].astype(float)
    stretches = np.array_split(np.arange(len(steps)), min(len(steps), MOST_POINTS) or 1)
    rows = []
    for stretch in stretches if len(steps) else ():
        finite = values[stretch][np.isfinite(values[stretch])]
        summary = (finite.mean(), finite.min(), finite.max()) if len(finite) else (np.nan,) * 3
        rows.append((steps[stretch].mean(), *summary))
    return np.array(rows, dtype=float).reshape(-1, 4)


@dataclass(frozen=True)
class _Line:
    """A curve ready to be drawn: its thinned points `[M, 4]` and the number of its colour and dash."""

    curve: Curve
    points: np.ndarray
    tint: int


def charts(curves: Sequence[Curve]) -> list[Markup]:
    """One `<figure>` per chart, in order of first appearance; curves that name the same chart share it."""
    groups: dict[str, list[Curve]] = {}
    for curve in curves:
        groups.setdefault(curve.chart or curve.name, []).append(curve)
    return [chart(title, group) for title, group in groups.items()]


def chart(title: str, curves: Sequence[Curve]) -> Markup:
    """One chart of one or more curves."""
    thinned = [(curve, thin(np.asarray(curve.steps), np.asarray(curve.values))) for curve in curves]
    drawable = [(curve, points) for curve, points in thinned if np.isfinite(points[:, 1]).any()]
    heading = element("b", title)
    if not drawable:
        empty = element("p", "No finite value was recorded.", class_="quiet")
        return element("figure", element("figcaption", heading), empty, class_="chart")
    tints = _tints([curve.name for curve, _ in drawable])
    lines = [_Line(curve, points, tint) for (curve, points), tint in zip(drawable, tints, strict=True)]
    caption = element("figcaption", heading, element("span", _span(lines), class_="readout"), _legend(lines))
    return element("figure", caption, _drawing(title, lines), _numbers(lines), class_="chart")


def _tints(names: list[str]) -> list[int]:
    """A colour for each line: what begins with a sense takes that sense's colour, the others take what is free."""
    senses = {"sound": 1, "audio": 1, "picture": 0, "image": 0}
    wanted = [next((tint for sense, tint in senses.items() if name.lower().startswith(sense)), None) for name in names]
    free = [tint for tint in range(TINTS) if tint not in wanted]
    chosen: list[int] = []
    for tint in wanted:
        if tint is None or tint in chosen:
            tint = free.pop(0) if free else len(chosen) % TINTS
        chosen.append(tint)
    return chosen


def _span(lines: list[_Line]) -> str:
    """The first and last level of a single curve, as the chart's resting caption."""
    levels = lines[0].points[:, 1]
    finite = levels[np.isfinite(levels)]
    if len(lines) > 1:
        return ""
    ends = [finite[0], finite[-1]] if len(finite) > 1 else [finite[0]]
    return " \u2192 ".join(map(format_number, ends))


def _drawing(title: str, lines: list[_Line]) -> Markup:
    floors = {line.curve.floor: line.curve.floor_name for line in lines if line.curve.floor is not None}
    levels = np.concatenate([line.points[:, 1:].ravel() for line in lines] + [np.array(list(floors), dtype=float)])
    levels, steps = levels[np.isfinite(levels)], np.concatenate([np.asarray(line.curve.steps) for line in lines])
    margin = 0.04 * (levels.max() - levels.min())
    x = Axis(float(steps.min()), float(steps.max()), LEFT, WIDTH - RIGHT, 4)
    y = Axis(levels.min() - margin, levels.max() + margin, HEIGHT - BOTTOM, TOP, 4)
    parts = [_floor(y, level, name) for level, name in floors.items() if math.isfinite(level)]
    parts += [_line(line, x, y) for line in lines]
    parts.append(element("line", class_="cursor", y1=TOP, y2=HEIGHT - BOTTOM))
    names = ", ".join(line.curve.name for line in lines)
    label = f"{title} over steps {format_number(steps.min())} to {format_number(steps.max())}: {names}"
    return element(
        "svg", element("title", label), _grid(x, y), *parts,
        viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", data_chart=_readouts(lines, x),
    )  # fmt: skip


def _readouts(lines: list[_Line], x: Axis) -> str:
    """JSON for the script: place and step of the first line's points, and every line's values by step."""
    places = [[_short(x(step)), _short(step)] for step in lines[0].points[:, 0]]
    series = [
        [line.curve.name if len(lines) > 1 else "", [[_short(p[0]), format_number(p[1])] for p in line.points]]
        for line in lines
    ]
    return json.dumps({"x": places, "series": series})


def _grid(x: Axis, y: Axis) -> Markup:
    bottom = HEIGHT - BOTTOM
    rows = [element("path", d=f"M{LEFT} {y(t):.1f}H{WIDTH - RIGHT}") for t in y.ticks]
    texts = [element("text", tick_text(t), x=LEFT - 6, y=f"{y(t) + 3.5:.1f}", class_="end") for t in y.ticks]
    texts += [element("text", tick_text(t), x=f"{x(t):.1f}", y=bottom + 17, class_="mid") for t in x.ticks]
    return element(
        "g", element("path", d=f"M{LEFT} {bottom}H{WIDTH - RIGHT}", class_="base"), *rows, *texts, class_="grid"
    )


def tick_text(value: float) -> str:
    """A tick in few characters: 1200 -> "1.2k"."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def _floor(y: Axis, level: float, name: str) -> Markup:
    above = y(level) - 5 if y(level) > TOP + 14 else y(level) + 13
    line = element("path", d=f"M{LEFT} {y(level):.1f}H{WIDTH - RIGHT}")
    return element("g", line, element("text", name, x=WIDTH - RIGHT, y=f"{above:.1f}", class_="end"), class_="floor")


def _line(line: _Line, x: Axis, y: Axis) -> Markup:
    """The mean of each stretch as a line within the band of its range; a lone point as a dot."""
    band, strokes, dots = "", "", []
    for run in _runs(line.points):
        places = x(run[:, 0])
        if len(run) == 1:
            dots.append(element("circle", cx=f"{places[0]:.1f}", cy=f"{y(run[0, 1]):.1f}", r=3))
            continue
        strokes += _path(places, y(run[:, 1]))
        if np.any(run[:, 2] != run[:, 3]):
            outline = np.concatenate([y(run[:, 3]), y(run[::-1, 2])])
            band += _path(np.concatenate([places, places[::-1]]), outline) + "Z"
    parts = [element("path", d=d, class_=name) for d, name in ((band, "band"), (strokes, "stroke")) if d]
    return element("g", *parts, *dots, class_=f"line l{line.tint}")


def _path(x: np.ndarray, y: np.ndarray) -> str:
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))


def _runs(line: np.ndarray) -> list[np.ndarray]:
    """The stretches without gaps."""
    finite = np.isfinite(line[:, 1])
    edges = np.flatnonzero(np.diff(finite.astype(int))) + 1
    return [run for run in np.split(line, edges) if len(run) and np.isfinite(run[0, 1])]


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _legend(lines: list[_Line]) -> Markup | None:
    if len(lines) == 1:
        return None
    items = (element("li", element("i", class_=f"key l{line.tint}"), line.curve.name) for line in lines)
    return element("ul", *items, class_="keys")


def _numbers(lines: list[_Line]) -> Markup:
    """The same numbers as a table: a few rows of each curve."""
    rows = []
    for line in lines:
        chosen = line.points[np.unique(np.linspace(0, len(line.points) - 1, TABLE_ROWS).round().astype(int))]
        name = element("th", line.curve.name, scope="row")
        rows += [element("tr", name, *(element("td", format_number(value)) for value in row[:2])) for row in chosen]
    head = element("tr", *(element("th", name, scope="col") for name in ("curve", "step", "value")))
    table = element("table", element("thead", head), element("tbody", *rows), class_="plain")
    return element("details", element("summary", "Numbers"), element("div", table, class_="scroll"), class_="numbers")
