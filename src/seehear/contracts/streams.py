"""Where clips come from during training: the sampler chooses them, the stream hands them over."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from seehear.contracts.batches import Batch


@runtime_checkable
class Sampler(Protocol):
    """Chooses the clips of each step, in the main process.

    `plan(s)` sees only observations up to step `s - lag`, and prefetch never exceeds `lag`, so that prefetch depth
    cannot change the order. Ids are sample ids (int64).
    """

    lag: int

    def plan(self, step: int) -> np.ndarray:
        """Ids of the global batch of `step`, `[global batch]` int64."""
        ...

    def replacement(self, position: int, attempt: int) -> int:
        """Another id for the bad sample at a global position: pure, and not already in that batch."""
        ...

    def observe(self, step: int, ids: np.ndarray, features: Mapping[str, Tensor]) -> None:
        """Be told what a step's clips looked like."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """State to resume from."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up a saved state."""
        ...


class Stream(Protocol):
    """Batches of one rank, step by step: what the trainer reads. `clips.Loader` is one.

    Attributes:
        sampler: chooses the clips.
        global_batch: clips per step over all ranks.
        clips_per_epoch: N, for epoch = position // N.
        fingerprint: identity of the data (table version, clip ids): a resume with another one is refused.
    """

    sampler: Sampler
    global_batch: int
    clips_per_epoch: int
    fingerprint: str

    def batches(self, first_step: int, last_step: int) -> Iterator[Batch]:
        """This rank's batches of steps `first_step` to `last_step - 1`."""
        ...
