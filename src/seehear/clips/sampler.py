"""The default sampler: a stateless keyed shuffle. Every epoch is a permutation that (seed, epoch) alone decide.

Clips are ordered by a keyed hash of their ids, so the order in which a folder or table lists them does not matter.
Batches straddle epoch ends: position p of the endless stream is place p % N of epoch p // N.
Legend: N clips, G global batch.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seehear.errors import DataError, UsageError
from seehear.randomness import Randomness, integers

UNLIMITED = 2**31 - 1


class StatelessSampler:
    """What samplers share whose plan is a pure function of seed and step (a `contracts.Sampler` without a plan).

    Args:
        ids: int64 `[N]` numbers of the clips, all different, in any order.
        global_batch: clips per step over all ranks; with fewer clips than that, ids repeat within a batch.
        seed: the run's seed.

    Raises:
        DataError: without clips, or if an id occurs twice.
        UsageError: if the batch is not positive.
    """

    lag = UNLIMITED

    def __init__(self, ids: np.ndarray, global_batch: int, seed: int):
        if global_batch < 1:
            raise UsageError(f"a global batch of {global_batch}", expected="at least 1")
        self.ids = np.unique(np.asarray(ids, dtype=np.int64))
        if len(self.ids) == 0:
            raise DataError("there are no clips to choose from", expected="at least one")
        if len(self.ids) != len(ids):
            raise DataError(f"{len(ids) - len(self.ids)} of {len(ids)} ids occur more than once")
        self.global_batch, self.seed = global_batch, seed

    @property
    def clips_per_epoch(self) -> int:
        """N."""
        return len(self.ids)

    def observe(self, step: int, ids: np.ndarray, features: Mapping[str, Tensor]) -> None:
        """Nothing: this order does not depend on what was seen."""

    def state_dict(self) -> dict[str, Any]:
        """Two integers: the seed, and N to be sure that the clips are the same."""
        return {"seed": self.seed, "clips_per_epoch": len(self.ids)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up a saved state.

        Raises:
            UsageError: if it was saved with another number of clips.
        """
        if state["clips_per_epoch"] != len(self.ids):
            raise UsageError(
                f"clips_per_epoch is {len(self.ids)}",
                expected=f"{state['clips_per_epoch']} as in the saved state",
                cause="the data changed since",
            )
        self.seed = state["seed"]


class ShuffleSampler(StatelessSampler):
    """Each clip once an epoch, in an order keyed by seed and epoch (a `contracts.Sampler`).

    See `StatelessSampler` for its arguments.
    """

    def __init__(self, ids: np.ndarray, global_batch: int, seed: int):
        super().__init__(ids, global_batch, seed)
        self._order = lru_cache(maxsize=3)(self._permute)
        self._rest = lru_cache(maxsize=2)(self._places_outside)

    def plan(self, step: int) -> np.ndarray:
        """Ids of the global batch of `step`, int64 `[G]`."""
        return self.ids[self._places(step)]

    def replacement(self, position: int, attempt: int) -> int:
        """Another id for the bad sample at a global position: pure, and not already in that batch.

        Within a batch, different positions and attempts get different ids as long as there are enough. Where the
        batch already holds every clip, any other clip than the bad one is taken.

        Raises:
            DataError: if there is no other clip.
        """
        step, slot = divmod(position, self.global_batch)
        rest = self._rest(step)
        if len(rest) == 0:
            order = self._order(position // len(self.ids))
            rest = order[order != self._places(step)[slot]]
        if len(rest) == 0:
            raise DataError("the only clip cannot be read", expected="another one to put in its place")
        half_an_epoch_on = position - slot + len(self.ids) // 2
        return int(self.ids[rest[(half_an_epoch_on + slot + attempt * self.global_batch) % len(rest)]])

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up a saved state (see `StatelessSampler`); orders of another seed are forgotten."""
        super().load_state_dict(state)
        self._order.cache_clear()
        self._rest.cache_clear()

    def _places(self, step: int) -> np.ndarray:
        """Places of a step's clips in `ids`, `[G]`."""
        positions = step * self.global_batch + np.arange(self.global_batch)
        epochs, offsets = np.divmod(positions, len(self.ids))
        places = np.empty(self.global_batch, dtype=np.int64)
        for epoch in range(int(epochs[0]), int(epochs[-1]) + 1):
            places[epochs == epoch] = self._order(epoch)[offsets[epochs == epoch]]
        return places

    def _permute(self, epoch: int) -> np.ndarray:
        """The order of an epoch, as places in `ids`, `[N]`."""
        ids = torch.from_numpy(self.ids)
        keys = Randomness(self.seed).keys(torch.full_like(ids, epoch), ids)
        return integers(keys, 1, "clips/shuffle")[:, 0].argsort(stable=True).numpy()

    def _places_outside(self, step: int) -> np.ndarray:
        """Places of all clips that are not in a step's batch, in the order of the epoch in which it begins."""
        order = self._order(step * self.global_batch // len(self.ids))
        inside = np.zeros(len(self.ids), dtype=bool)
        inside[self._places(step)] = True
        return order[~inside[order]]
