"""What happens to clips that cannot be read: counted by reason, replaced in their own place, and capped.

Promise R3 of the reliability page: never a constant, never a shorter batch, never silent.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from seehear.contracts import Replacement
from seehear.errors import DataError

IN_A_ROW = 50


def default_cap(clips_per_epoch: int) -> int:
    """Clips that may fail before a run stops: 10, or 1 % of an epoch where that is more."""
    return max(10, clips_per_epoch // 100)


@dataclass
class BadClips:
    """The bad clips that a run has met.

    Attributes:
        most: different clips that may fail before the run stops.
        reasons: sample id to the reason of its failure.
    """

    most: int
    reasons: dict[int, str] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """Number of different bad clips by reason."""
        return dict(Counter(self.reasons.values()))

    def add(self, replacements: Iterable[Replacement]) -> None:
        """Take note of the bad clips of a batch.

        Raises:
            DataError: where there are more than `most`.
        """
        for bad in replacements:
            self.reasons.setdefault(bad.sample_id, bad.reason)
        if len(self.reasons) > self.most:
            raise too_many(f"{len(self.reasons)} clips could not be read: {self.counts}", f"at most {self.most}")


def too_many(found: str, expected: str) -> DataError:
    """The error that stops a run with too many bad clips."""
    return DataError(
        found,
        expected=expected,
        cause="a damaged disk, a moved folder or a damaged table",
        cure="run `seehear doctor` on the data, or pack it again",
    )
