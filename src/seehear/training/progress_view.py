"""How a run shows that it moves: a small protocol for whoever draws it, and plain aligned lines."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class Status:
    """A run at a log step.

    Attributes:
        step: steps done.
        total_steps: of the run.
        epoch: passes over the clips so far.
        loss: the total loss (of the last phase).
        learning_rate: of that step.
        clips_per_second: since the last log step, over all ranks, without evaluations.
        seconds_left: expected.
    """

    step: int
    total_steps: int
    epoch: float
    loss: float
    learning_rate: float
    clips_per_second: float
    seconds_left: float


@runtime_checkable
class ProgressView(Protocol):
    """Whoever shows progress; called on the first rank only."""

    def advance(self, step: int, total_steps: int) -> None:
        """After every step (and once at the start)."""
        ...

    def report(self, status: Status) -> None:
        """On log steps."""
        ...

    def note(self, text: str) -> None:
        """Something worth a line: a resume, a warning, a figure."""
        ...


class PlainProgress:
    """One aligned line per log step.

    Args:
        write: takes a line, e.g. `print`.
    """

    def __init__(self, write: Callable[[str], object]):
        self._write = write

    def advance(self, step: int, total_steps: int) -> None:
        """Nothing: plain lines come on log steps."""

    def report(self, status: Status) -> None:
        """Write the line."""
        self._write(status_line(status))

    def note(self, text: str) -> None:
        """Write the text."""
        self._write(text)


class NoProgress:
    """Shows nothing."""

    def advance(self, step: int, total_steps: int) -> None:
        """Nothing."""

    def report(self, status: Status) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


def status_line(status: Status) -> str:
    """A line such as "step   200/2000  epoch   3.2  loss  3.4512    310 clips/s  left 5:48"."""
    width = len(str(status.total_steps))
    return (
        f"step {status.step:>{width}}/{status.total_steps}  epoch {status.epoch:6.2f}  loss {status.loss:8.4f}  "
        f"{status.clips_per_second:7.1f} clips/s  left {clock(status.seconds_left):>8}"
    )


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss or m:ss."""
    hours, rest = divmod(max(0, round(seconds)), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def as_view(progress: ProgressView | Callable[[str], object] | None) -> ProgressView:
    """A view from what users pass: a view, a function that takes a line, or None."""
    if progress is None:
        return NoProgress()
    return progress if isinstance(progress, ProgressView) else PlainProgress(progress)
