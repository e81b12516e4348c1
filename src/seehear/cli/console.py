"""What a command says: tables, lines and progress for people, one JSON document for machines.

People read tables and lines on stdout, progress and notes on stderr; where stdout or stderr is no terminal they are
plain lines. Machines (`--json`) get exactly one document on stdout and nothing else there.
"""

import dataclasses
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seehear.cli.progress import Bar, open_bar

if TYPE_CHECKING:
    from seehear.contracts import Figure

FIGURE_COLUMNS = ("figure", "value", "x chance", "chance", "untrained", "ceiling", "other floors", "protocol")


class Console:
    """Where a verb speaks.

    Args:
        machine: `--json` was given: only `document` writes to stdout.
    """

    def __init__(self, machine: bool = False):
        self.machine = machine
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")  # file names may hold what a terminal cannot show

    def line(self, text: str) -> None:
        """Say something to people, on stdout."""
        if not self.machine:
            print(text)

    def note(self, text: str) -> None:
        """Say something beside the result, on stderr: warnings, where a file went, the last line of a failure."""
        print(text, file=sys.stderr, flush=True)

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Show rows to people, numbers to the right; nothing for machines."""
        if self.machine:
            return
        cells = [[one_line(text(value)) for value in row] for row in rows]
        numeric = [all(_is_number(row[i]) for row in cells) for i in range(len(columns))]
        if sys.stdout.isatty():
            _rich_table(title, columns, cells, numeric)
        else:
            _plain_table(title, columns, cells, numeric)

    def figures(self, title: str, figures: "Iterable[Figure]") -> None:
        """Show measured figures, each with its floors and ceiling beside it; columns that stay empty are left out."""
        rows = [_figure_row(figure) for figure in figures]
        used = [i for i in range(len(FIGURE_COLUMNS)) if any(row[i] for row in rows)]
        self.table(title, [FIGURE_COLUMNS[i] for i in used], [[row[i] for i in used] for row in rows])

    def progress(self, label: str, total: int | None = None, unit: str = "clips") -> AbstractContextManager[Bar]:
        """A progress line on stderr.

        The bar is a function `bar(done, total=None, note="")` to hand to a room as its callback; `total` may be given
        later. On a terminal it moves in place, elsewhere a line is printed now and then.
        """
        return open_bar(label, total, unit)

    def document(self, value: Any) -> None:
        """Print the one JSON document, where `--json` asks for it."""
        if self.machine:
            print(json.dumps(plain(value), indent=2, allow_nan=False))

    def flush(self) -> None:
        """Hand on what is still held back, so that a closed pipe shows now."""
        sys.stdout.flush()


def plain(value: Any) -> Any:
    """JSON-ready form: dataclasses as objects, paths as text, array scalars as numbers, NaN and infinities as null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str | Path):
        return str(value)
    if callable(to_list := getattr(value, "tolist", None)):  # arrays, tensors and their scalars
        return plain(to_list())
    return str(value)


def text(value: object) -> str:
    """A cell for people: figures to four places that count, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def one_line(message: str) -> str:
    """A message without line breaks, and with control characters (file names may hold any) spelled out."""
    joined = " ".join(message.split())
    return "".join(c if c.isprintable() or 0xD800 <= ord(c) < 0xE000 else ascii(c)[1:-1] for c in joined)


def _is_number(cell: str) -> bool:
    return not cell or cell.replace("%", "").replace("x", "").replace(".", "").replace("-", "").strip().isdigit()


def _figure_row(figure: "Figure") -> tuple[str, ...]:
    times = ""
    if figure.chance and figure.higher_is_better:
        times = f"{figure.value / figure.chance:.1f}x"
    bound = "" if figure.lower_bound is None else f" (95 %: {figure.lower_bound:.4g} up)"
    others = ", ".join(f"{name} {value:.4g}" for name, value in figure.baselines.items())
    floors = (figure.chance, figure.untrained, figure.ceiling)
    return (figure.name, text(figure.value) + bound, times, *map(text, floors), others, figure.note)


def _plain_table(title: str, columns: Sequence[str], cells: list[list[str]], numeric: list[bool]) -> None:
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    print(title)
    for row in (list(columns), *cells):
        placed = [c.rjust(w) if right else c.ljust(w) for c, w, right in zip(row, widths, numeric, strict=True)]
        print(("  " + "  ".join(placed)).rstrip())


def _rich_table(title: str, columns: Sequence[str], cells: list[list[str]], numeric: list[bool]) -> None:
    from rich import box
    from rich.console import Console as RichConsole
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, right in zip(columns, numeric, strict=True):
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    RichConsole(file=sys.stdout).print(table)
