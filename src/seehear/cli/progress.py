"""A progress line on stderr: moving in place on a terminal, now and then a plain line elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

PLAIN_EVERY_SECONDS = 5.0  # between two lines where stderr is no terminal


class Bar(Protocol):
    """Be told how far the work is."""

    def __call__(self, done: int, total: int | None = None, note: str = "") -> None:
        """`done` of `total` units are done; `note` stands at the end of the line."""
        ...


def open_bar(label: str, total: int | None, unit: str) -> AbstractContextManager[Bar]:
    """A bar for the time of a `with` block."""
    return _moving_bar(label, total, unit) if sys.stderr.isatty() else _plain_bar(label, total, unit)


class _PlainBar:
    """Prints a line when the last one is old enough, and one at the end."""

    def __init__(self, label: str, total: int | None, unit: str):
        self.label, self.total, self.unit = label, total, unit
        self.started = time.monotonic()
        self.next_line = self.started + PLAIN_EVERY_SECONDS
        self.done, self.note = -1, ""
        self.first: int | None = None

    def __call__(self, done: int, total: int | None = None, note: str = "") -> None:
        self.first = max(0, done - 1) if self.first is None else self.first
        self.done, self.total, self.note = done, total or self.total, note
        if time.monotonic() >= self.next_line:
            self.show()
            self.next_line = time.monotonic() + PLAIN_EVERY_SECONDS

    def show(self) -> None:
        seconds = time.monotonic() - self.started
        line = progress_line(self.label, self.done, self.total, self.unit, seconds, self.note, self.first or 0)
        print(line, file=sys.stderr)


@contextmanager
def _plain_bar(label: str, total: int | None, unit: str) -> Iterator[Bar]:
    bar = _PlainBar(label, total, unit)
    yield bar
    if bar.done >= 0:
        bar.show()


@contextmanager
def _moving_bar(label: str, total: int | None, unit: str) -> Iterator[Bar]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    started = time.monotonic()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=24))
    with Progress(*columns, console=Console(file=sys.stderr), transient=False) as progress:
        task = progress.add_task(label, total=total)
        first: int | None = None

        def bar(done: int, total: int | None = None, note: str = "") -> None:
            nonlocal first
            first = max(0, done - 1) if first is None else first
            known = total or progress.tasks[0].total
            line = progress_line(label, done, known, unit, time.monotonic() - started, note, first)
            progress.update(task, completed=done, total=known, description=line)

        yield bar


def progress_line(
    label: str, done: int, total: float | None, unit: str, seconds: float, note: str = "", first: int = 0
) -> str:
    """One line: how far, how quick, how long still ("packing: 30/120 clips, 12.0 clips/s, 8 s left, 2 skipped").

    What was done before the line began (`first`) counts for neither rate nor time left.
    """
    parts = [f"{label}: {done}/{int(total)} {unit}" if total else f"{label}: {done} {unit}"]
    own = done - first
    if seconds > 0 and own > 0:
        parts.append(f"{own / seconds:.3g} {unit}/s")
        if total and done < total:
            parts.append(f"{duration((total - done) * seconds / own)} left")
        else:
            parts.append(duration(seconds))
    return ", ".join([*parts, note] if note else parts)


def duration(seconds: float) -> str:
    """A duration as people say it: "8 s", "3 min 20 s", "2 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
