"""The small bar beside a figure: where the value stands between its floors and its ceiling. Right is always better.

The bar is paler from the lower end of the value's 95 % interval on.
"""

import math

from seehear.contracts import Figure
from seehear.reports.markup import Markup, element
from seehear.reports.table import format_value, is_share, references


def meter(figure: Figure) -> Markup | None:
    """The bar from the floor (chance, or else the best baseline) to the value, with a tick for each reference.

    None where the figure has nothing to be read against, or is not finite itself.
    """
    against = references(figure)
    if not against or not math.isfinite(figure.value):
        return None
    left, right = _ends(figure, against)

    def place(value: float) -> float:
        return round(100 * min(max((value - left) / (right - left), 0), 1), 2)

    floor = place(floor_of(figure, against))
    value = place(figure.value)
    worse = value < floor
    bound = place(figure.lower_bound) if figure.lower_bound is not None else value
    unsure = element("span", class_="unsure", style=_span(max(bound, floor), value)) if bound < value > floor else None
    fill = element("span", class_="fill worse" if worse else "fill", style=_span(floor, value))
    ticks = [
        element("span", class_=f"tick {name if name in ('chance', 'untrained', 'ceiling') else 'baseline'}",
                style=f"left:{place(level)}%", title=f"{name} {format_value(figure, level)}")
        for name, level in against.items()
    ]  # fmt: skip
    dot = element("span", class_="dot worse" if worse else "dot", style=f"left:{value}%")
    words = ", ".join(f"{name} {format_value(figure, level)}" for name, level in against.items())
    label = f"{format_value(figure, figure.value)} on a scale with {words}"
    return element("div", fill, unsure, *ticks, dot, class_="meter", role="img", aria_label=label)


def floor_of(figure: Figure, against: dict[str, float]) -> float:
    """The level from which the bar starts: chance, or the best baseline, or the untrained network, or the ceiling."""
    if "chance" in against:
        return against["chance"]
    best = max if figure.higher_is_better else min
    baselines = [against[name] for name in figure.baselines if name in against]
    return best(baselines) if baselines else against.get("untrained", next(iter(against.values())))


def _ends(figure: Figure, against: dict[str, float]) -> tuple[float, float]:
    """Values at the left (worst) and right (best) end: the right end is the ceiling unless the value passes it."""
    everything = [figure.value, *against.values()]
    if figure.higher_is_better:
        left = min(0.0, *everything)
        right = max(everything) if "ceiling" in against or not is_share(figure) else 1.0
    else:
        left, right = max(everything), min(everything)
    return (left, right) if left != right else (left, left + (1.0 if figure.higher_is_better else -1.0))


def _span(start: float, end: float) -> str:
    return f"left:{min(start, end):.2f}%;width:{abs(end - start):.2f}%"
