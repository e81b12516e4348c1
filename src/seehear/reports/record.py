"""The run's record: short facts, the configuration folded, the files that were left out, and what to do next."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from seehear.reports.markup import Markup, element, join, name_of
from seehear.reports.page import Skipped
from seehear.reports.table import NOTHING, format_number

MOST_SKIPPED = 200
_DEEPEST = 12  # nesting beyond this is printed as text


def facts(entries: Mapping[str, str | int | float]) -> Markup:
    """Name and value pairs as a grid."""
    items = (
        element("div", element("dt", name), element("dd", name_of(_fact(value)))) for name, value in entries.items()
    )
    return element("dl", *items, class_="facts")


def _fact(value: str | int | float) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return _written(value)
    number = format_number(value)
    return number.rstrip("0").rstrip(".") if "." in number and "e" not in number else number


def configuration(settings: Mapping[str, Any]) -> Markup:
    """The settings as nested folds, the outermost one closed."""
    count = sum(1 for _ in _leaves(settings))
    summary = element("summary", "Configuration ", element("small", f"{count} settings"))
    return element("details", summary, _level(settings, 1), class_="configuration")


def _level(settings: Mapping[str, Any], depth: int) -> Markup:
    """Plain settings first, then a fold for each group."""
    groups = {key: _mapping(value) for key, value in settings.items() if _mapping(value) and depth < _DEEPEST}
    rows = [
        element("div", element("dt", key), element("dd", _written(value)))
        for key, value in settings.items() if key not in groups
    ]  # fmt: skip
    folds = [
        element("details", element("summary", key), _level(group, depth + 1), open=True)
        for key, group in groups.items()
    ]
    return join([element("dl", *rows) if rows else Markup(), *folds])


def _mapping(value: object) -> Mapping[str, Any]:
    """A nested group of settings as a mapping; {} for anything else."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return {str(key): inner for key, inner in value.items()} if isinstance(value, Mapping) else {}


def _leaves(settings: Mapping[str, Any]) -> list[object]:
    found: list[object] = []
    for value in settings.values():
        inner = _mapping(value)
        found += _leaves(inner) if inner else [value]
    return found


def _written(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, (list, tuple)):
        return ", ".join(_written(item) for item in value) or "(empty)"
    return str(value) if str(value) else "(empty)"


def skipped(files: Sequence[Skipped]) -> Markup:
    """How many files were left out for which reason, and a table of them."""
    counts = Counter(file.reason for file in files)
    reasons = element(
        "ul", *(element("li", element("b", n), " ", reason) for reason, n in counts.most_common()), class_="reasons"
    )
    rows = (
        element("tr", element("th", name_of(file.path), scope="row"), element("td", file.reason),
                element("td", file.detail or NOTHING))
        for file in files[:MOST_SKIPPED]
    )  # fmt: skip
    head = element("thead", element("tr", *(element("th", name, scope="col") for name in ("File", "Reason", "Found"))))
    cut = f" (the first {MOST_SKIPPED})" if len(files) > MOST_SKIPPED else ""
    table = element("div", element("table", head, element("tbody", *rows), class_="plain files"), class_="scroll")
    return join([reasons, element("details", element("summary", f"Files{cut}"), table, open=len(files) <= 12)])


def next_steps(steps: Mapping[str, str]) -> Markup:
    """Each sentence with its command."""
    items = (
        element("li", element("span", words), element("pre", element("code", command), tabindex=0))
        for words, command in steps.items()
    )
    return element("ul", *items, class_="steps")
