"""How a run ended."""

from dataclasses import dataclass
from pathlib import Path

from seehear.contracts import Figure


@dataclass(frozen=True)
class Summary:
    """How a run ended.

    Attributes:
        folder: of the run.
        steps: done.
        epoch: passes over the clips.
        loss: at the last step; None if this call had nothing left to train, or it was not finite.
        skipped_steps: whose loss or gradients were not finite.
        replacements: clips that could not be read and were replaced, by reason.
        figures: of the last evaluation.
        checkpoint: of the last step.
        resumed_from: the step this call went on from; None for a fresh start.
        seconds: that this call took.
    """

    folder: Path
    steps: int
    epoch: float
    loss: float | None
    skipped_steps: int
    replacements: dict[str, int]
    figures: tuple[Figure, ...]
    checkpoint: Path
    resumed_from: int | None
    seconds: float
