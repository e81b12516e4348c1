"""The figures of a run: a few of them large, all of them in a table with floors and ceilings, and what they mean."""

import re
from collections.abc import Sequence

from seehear.contracts import Figure
from seehear.reports.markup import Markup, element, join
from seehear.reports.meter import meter
from seehear.reports.table import NOTHING, format_times, format_value, parts_of, references, times_chance

MOST_HEADLINES = 4
_BOUND = "The lower end of the value's 95 % interval."
_HEAD = ("Figure", "Value", "Times chance", "Floor to ceiling", "Chance", "Untrained", "Baselines", "Ceiling")
_MEANINGS = (
    (r"R@\d", "R@k", "The share of queries whose own clip is among the first k answers."),
    (r"median rank", "Median rank", "The place at which the own clip stands for the middle query; 1 is best."),
    (r"agreement", "Agreement@k", "The share of the k best answers that are of the query's class."),
    (r"top-1", "Top-1", "The share of clips whose class is named rightly."),
    (r"\bmAP\b", "mAP", "Mean average precision: how far up a class's clips stand in its ranking, over the classes."),
    (r"knn", "kNN", "A clip takes the class that most of its nearest training clips have."),
    (r"linear probe", "Linear probe", "One linear layer is trained on the frozen network's output."),
    (r"missing", "Missing modality", "A classifier taught on both senses is given one of them alone."),
    (r"confusion", "Modality confusion", "Clips that one sense alone gets right and both together get wrong."),
    (r"masked MSE", "Masked MSE", "The squared error where the input was hidden; less is better."),
)


def headlines(figures: Sequence[Figure], names: Sequence[str]) -> Markup | None:
    """Up to four figures as cards: those asked for by name, or the first of each group that has a chance level."""
    by_name = {figure.name: figure for figure in figures}
    chosen = [by_name[name] for name in names if name in by_name]
    if not names:
        groups: dict[str, Figure] = {}
        for figure in figures:
            if times_chance(figure) is not None:
                groups.setdefault(figure.name.rpartition("/")[0] or figure.name, figure)
        chosen = list(groups.values())
    if not chosen:
        return None
    cards = element("ul", *(_card(figure) for figure in chosen[:MOST_HEADLINES]), class_="cards")
    return join([element("h2", "In short", class_="unseen"), cards])


def _card(figure: Figure) -> Markup:
    task, label = parts_of(figure.name)
    against = references(figure)
    words = [
        f"{name} {format_value(figure, against[name])}"
        for name in ("chance", "untrained", "ceiling")
        if name in against
    ]
    times = times_chance(figure)
    large = format_value(figure, figure.value) if times is None else format_times(figure)
    unit = "" if times is None else "better than chance" if not figure.higher_is_better else "chance"
    value = None if times is None else element("b", format_value(figure, figure.value))
    bound = None if figure.lower_bound is None else f" ({_bound(figure)})"
    return element(
        "li",
        element("h3", element("span", task, class_="task"), " ", label),
        element("p", element("strong", large), " ", unit, class_="large"),
        meter(figure),
        element("p", value, bound, " \u00b7 " if value and words else None, " \u00b7 ".join(words), class_="small"),
    )


def score_table(figures: Sequence[Figure]) -> Markup:
    """The table with one group of rows per task, its key, and the meaning of the terms that occur."""
    groups: dict[str, list[Figure]] = {}
    for figure in figures:
        groups.setdefault(parts_of(figure.name)[0], []).append(figure)
    bodies = [_group(task, members) for task, members in groups.items()]
    buttons = (_heading(index, name) for index, name in enumerate(_HEAD))
    head = element("thead", element("tr", *buttons, role="row"), role="rowgroup")
    table = element(
        "table", head, *bodies, class_="scores", role="table", aria_label="Figures with floors and ceilings"
    )
    return join([_key(), table, _glossary(figures)])


def _heading(index: int, name: str) -> Markup:
    sortable = name in ("Figure", "Times chance")  # values of different kinds have no common order
    content: object = element("button", name, type="button", data_sort=index) if sortable else name
    return element("th", content, scope="col", role="columnheader")


def _group(task: str, figures: Sequence[Figure]) -> Markup:
    """The rows of one task; what all their protocols share stands once, in its heading."""
    protocols = [figure.note.split(", ") if figure.note else [] for figure in figures]
    shared = [part for part in protocols[0] if all(part in protocol for protocol in protocols)]
    note = element("small", ", ".join(shared)) if shared else None
    heading = element("th", task or "Figures", note, colspan=len(_HEAD), scope="rowgroup", role="cell")
    own = [[part for part in protocol if part not in shared] for protocol in protocols]
    rows = (_row(figure, ", ".join(parts)) for figure, parts in zip(figures, own, strict=True))
    return element("tbody", element("tr", heading, class_="task", role="row"), *rows, role="rowgroup")


def _row(figure: Figure, note: str) -> Markup:
    _, label = parts_of(figure.name)
    remarks = [note, "" if figure.higher_is_better else "less is better"]
    remark = element("small", " \u00b7 ".join(filter(None, remarks))) if any(remarks) else None
    lower = element("small", _bound(figure), title=_BOUND) if figure.lower_bound is not None else ""
    baselines = ", ".join(f"{name} {format_value(figure, value)}" for name, value in figure.baselines.items())
    cells = [
        _cell(1, join([format_value(figure, figure.value), lower]), "value"),
        _cell(2, format_times(figure), "times", times_chance(figure)),
        _cell(3, meter(figure) or "", "bar"),
        _cell(4, format_value(figure, figure.chance)),
        _cell(5, format_value(figure, figure.untrained)),
        _cell(6, baselines or NOTHING, "words"),
        _cell(7, format_value(figure, figure.ceiling)),
    ]
    name = element("th", element("span", label), remark, scope="row", role="rowheader", data_value=label)
    return element("tr", name, *cells, role="row")


def _bound(figure: Figure) -> str:
    return f"\u2265 {format_value(figure, figure.lower_bound)}"


def _cell(column: int, content: object, class_: str = "", value: float | None = None) -> Markup:
    empty = " none" if content in (NOTHING, "") else ""
    return element(
        "td", content, role="cell", class_=(class_ + empty).strip(), data_label=_HEAD[column], data_value=value
    )


def _key() -> Markup:
    items = (
        ("fill", "value"),
        ("unsure", "its 95 % interval"),
        ("chance", "chance"),
        ("untrained", "untrained"),
        ("baseline", "baseline"),
        ("ceiling", "ceiling"),
    )
    marks = (element("li", element("i", class_=f"mark {name}"), words) for name, words in items)
    return element("ul", *marks, class_="keys meter-keys", aria_label="Key to the bars")


def _glossary(figures: Sequence[Figure]) -> Markup:
    text = " ".join(" ".join(parts_of(figure.name)) for figure in figures)
    terms = [(term, meaning) for pattern, term, meaning in _MEANINGS if re.search(pattern, text, re.IGNORECASE)]
    terms += [
        ("Chance", "What a guess reaches."),
        (
            "Untrained",
            "The same network with its random first weights, before anything was learnt or loaded.",
        ),
        (
            "Ceiling",
            "A perfect score; for retrieval, that of a perfect classifier, which a network can pass.",
        ),
    ]
    if any(figure.lower_bound is not None for figure in figures):
        terms.append(("\u2265", _BOUND))
    items = [element("div", element("dt", term), element("dd", meaning)) for term, meaning in terms]
    summary = element("summary", "What these figures mean")
    return element("details", summary, element("dl", *items, class_="terms"), class_="glossary")
