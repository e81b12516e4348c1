"""Line charts as inline SVG: crisp, themed by the page, with the numbers as a table beside them.

Legend: N points of one curve.
"""

import json
import math
from collections.abc import Sequence

import numpy as np

from seehear.reports.markup import Markup, element, join
from seehear.reports.page import Curve
from seehear.reports.table import format_number

WIDTH, HEIGHT = 360, 210
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 26
MOST_POINTS = 150  # more are drawn as the mean of each stretch within the band of its smallest and largest value
TABLE_ROWS = 12


class Axis:
    """A linear scale from values to user units of the drawing, with round ticks."""

    def __init__(self, low: float, high: float, start: float, end: float, ticks: int):
        if not high > low:
            margin = abs(low) * 0.1 or 1.0
            low, high = low - margin, high + margin
        self.low, self.high, self.start, self.end = low, high, start, end
        self.ticks = round_ticks(low, high, ticks)

    def __call__(self, value: float) -> float:
        """Where a value lies, in user units."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def round_ticks(low: float, high: float, count: int) -> list[float]:
    """About `count` multiples of 1, 2 or 5 times a power of ten within [low, high]."""
    rough = (high - low) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((m * power for m in (1, 2, 5, 10)), key=lambda s: abs(math.log(s / rough)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)]


def thin(steps: np.ndarray, values: np.ndarray) -> np.ndarray:
    """`[N]`, `[N]` -> `[M, 4]` with M at most `MOST_POINTS`: step, mean, smallest, largest; gaps are NaN rows."""
    order = np.argsort(steps, kind="stable")
    steps, values = steps[order].astype(float), values[order].astype(float)
    stretches = np.array_split(np.arange(len(steps)), min(len(steps), MOST_POINTS))
    rows = []
    for stretch in stretches:
        finite = values[stretch][np.isfinite(values[stretch])]
        summary = (finite.mean(), finite.min(), finite.max()) if len(finite) else (np.nan,) * 3
        rows.append((steps[stretch].mean(), *summary))
    return np.array(rows, dtype=float).reshape(-1, 4)


def charts(curves: Sequence[Curve]) -> list[Markup]:
    """One `<figure>` per chart, in order of first appearance; curves that name the same chart share it."""
    groups: dict[str, list[Curve]] = {}
    for curve in curves:
        groups.setdefault(curve.chart or curve.name, []).append(curve)
    return [chart(title, group) for title, group in groups.items()]


def chart(title: str, curves: Sequence[Curve]) -> Markup:
    """One chart of one or more curves."""
    lines = [thin(np.asarray(curve.steps), np.asarray(curve.values)) for curve in curves]
    drawable = [i for i, line in enumerate(lines) if np.isfinite(line[:, 1]).any()]
    heading = element("b", title)
    if not drawable:
        empty = element("p", "No finite value was recorded.", class_="quiet")
        return element("figure", element("figcaption", heading), empty, class_="chart")
    curves, lines = [curves[i] for i in drawable], [lines[i] for i in drawable]
    caption = element("figcaption", heading, element("span", _span(lines), class_="readout"), _legend(curves))
    return element("figure", caption, _drawing(title, curves, lines), _numbers(curves, lines), class_="chart")


def _span(lines: list[np.ndarray]) -> str:
    """The first and last level of a single curve, as the chart's resting caption."""
    finite = lines[0][np.isfinite(lines[0][:, 1]), 1]
    if len(lines) > 1 or len(finite) < 2:
        return format_number(finite[-1]) if len(lines) == 1 else ""
    return f"{format_number(finite[0])} → {format_number(finite[-1])}"


def _drawing(title: str, curves: Sequence[Curve], lines: list[np.ndarray]) -> Markup:
    levels = np.concatenate(
        [line[:, 1:].ravel() for line in lines] + [[c.floor] for c in curves if c.floor is not None]
    )
    levels, steps = levels[np.isfinite(levels)], np.concatenate([line[:, 0] for line in lines])
    margin = 0.04 * (levels.max() - levels.min())
    x = Axis(steps.min(), steps.max(), LEFT, WIDTH - RIGHT, 4)
    y = Axis(levels.min() - margin, levels.max() + margin, HEIGHT - BOTTOM, TOP, 4)
    floors = {c.floor: c.floor_name for c in curves if c.floor is not None and math.isfinite(c.floor)}
    parts = [_grid(x, y), *(_floor(y, level, name) for level, name in floors.items())]
    parts += [_line(i, line, x, y) for i, line in enumerate(lines)]
    parts.append(element("line", class_="cursor", y1=TOP, y2=HEIGHT - BOTTOM))
    data = {
        "x": [[_short(x(s)), _short(s)] for s in lines[0][:, 0]],
        "series": [_series(c, ln) for c, ln in zip(curves, lines, strict=True)],
    }
    names = ", ".join(curve.name for curve in curves)
    label = f"{title} over steps {format_number(steps.min())} to {format_number(steps.max())}: {names}"
    return element(
        "svg", element("title", label), *parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", data_chart=json.dumps(data)
    )


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


def _line(index: int, line: np.ndarray, x: Axis, y: Axis) -> Markup:
    band, strokes, dots = [], [], []
    for run in _runs(line):
        points = [(x(step), y(mean)) for step, mean, _, _ in run]
        if len(points) == 1:
            dots.append(element("circle", cx=f"{points[0][0]:.1f}", cy=f"{points[0][1]:.1f}", r=3))
            continue
        strokes.append("M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in points))
        edge = [(x(r[0]), y(r[3])) for r in run] + [(x(r[0]), y(r[2])) for r in run[::-1]]
        if np.any(run[:, 2] != run[:, 3]):
            band.append("M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in edge) + "Z")
    parts = [element("path", d="".join(band), class_="band") if band else None]
    parts.append(element("path", d="".join(strokes), class_="stroke") if strokes else None)
    return element("g", *parts, *dots, class_=f"line l{index % 4}")


def _runs(line: np.ndarray) -> list[np.ndarray]:
    """The stretches without gaps."""
    finite = np.isfinite(line[:, 1])
    edges = np.flatnonzero(np.diff(finite.astype(int))) + 1
    return [run for run in np.split(line, edges) if len(run) and np.isfinite(run[0, 1])]


def _series(curve: Curve, line: np.ndarray) -> list[object]:
    return [curve.name, [[_short(step), format_number(mean)] for step, mean, _, _ in line]]


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _legend(curves: Sequence[Curve]) -> Markup | None:
    if len(curves) == 1:
        return None
    items = (element("li", element("i", class_=f"key l{i % 4}"), curve.name) for i, curve in enumerate(curves))
    return element("ul", *items, class_="keys")


def _numbers(curves: Sequence[Curve], lines: list[np.ndarray]) -> Markup:
    """The same numbers as a table: a few rows of each curve."""
    rows = []
    for curve, line in zip(curves, lines, strict=True):
        chosen = line[np.unique(np.linspace(0, len(line) - 1, TABLE_ROWS).round().astype(int))]
        rows += [
            element("tr", element("th", curve.name, scope="row"), *(element("td", format_number(v)) for v in row[:2]))
            for row in chosen
        ]
    head = element("tr", *(element("th", name, scope="col") for name in ("curve", "step", "value")))
    table = element("table", element("thead", head), element("tbody", join(rows)), class_="plain")
    return element("details", element("summary", "Numbers"), element("div", table, class_="scroll"), class_="numbers")
