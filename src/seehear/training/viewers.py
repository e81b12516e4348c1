"""Viewers: where numbers go besides the run's own logs. One small interface; TensorBoard is one of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from seehear.errors import UsageError


class Viewer(Protocol):
    """Takes the numbers of log steps and evaluations, on the first rank only."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers by name after `step` steps."""
        ...

    def close(self) -> None:
        """The run is over."""
        ...


class TensorBoardViewer:
    """Writes event files that `tensorboard --logdir <folder>` shows.

    Args:
        folder: for the event files.

    Raises:
        UsageError: if TensorBoard is not installed.
    """

    def __init__(self, folder: Path | str):
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise UsageError("TensorBoard is not installed", cure="pip install 'seehear[tensorboard]'") from error
        self._writer = SummaryWriter(str(folder))

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers by name after `step` steps."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()
