"""How a long piece of work shows that it moves: whoever calls brings the bars (the command line's `Console` does)."""

from contextlib import AbstractContextManager
from typing import Protocol

from seehear.training import Status


class Bar(Protocol):
    """Be told how far the work is."""

    def __call__(self, done: int, total: int | None = None, note: str = "") -> None:
        """`done` of `total` units are done; `note` stands at the end of the line."""
        ...


class Show(Protocol):
    """Where a run speaks."""

    def note(self, text: str) -> None:
        """A line beside the result."""
        ...

    def progress(self, label: str, total: int | None = None, unit: str = "clips") -> AbstractContextManager[Bar]:
        """A progress line for the time of a `with` block."""
        ...


class TrainingBar:
    """Training as one progress line (a `training.ProgressView`): loss and learning rate stand at its end."""

    def __init__(self, bar: Bar, show: Show):
        self._bar, self._show, self._text = bar, show, ""

    def advance(self, step: int, total_steps: int) -> None:
        """After every step."""
        self._bar(step, total_steps, self._text)

    def report(self, status: Status) -> None:
        """On log steps."""
        self._text = f"loss {status.loss:.3f}, {status.clips_per_second:.0f} clips/s"

    def note(self, text: str) -> None:
        """Something worth a line."""
        self._show.note(text)
