"""Balanced sampling: clips drawn with replacement, those of rare classes more often.

Source: the fine-tuning of CAV-MAE and AVSiam on AudioSet-2M and VGGSound: the weight of a clip is the sum over its
labels of 1000 / (clips of that label + 0.01). Their code draws on every process from the whole set by itself; here one
plan holds for all of them, and each takes its slice. Every position of the endless stream is drawn by a key of its own,
so nothing depends on batch, ranks or resume.

Legend: N clips, G global batch, C classes.
"""

import numpy as np
import torch

from seehear.clips.clip import ClipSource
from seehear.clips.sampler import StatelessSampler
from seehear.errors import DataError, UsageError
from seehear.randomness import Randomness, uniform

_SCALE, _OFFSET = 1000.0, 0.01
_CLIPS_AT_ONCE = 4096
_TRIES = 64


def label_weights(source: ClipSource) -> np.ndarray:
    """Weight of each clip, float64 `[N]`, by how rare its labels are among the clips of `source`.

    Raises:
        DataError: if a clip has no label: it would never be drawn.
    """
    parts = _parts(source)
    of_class = _SCALE / (class_counts(source) + _OFFSET)
    weights = np.concatenate([source.label_matrix(part) @ of_class for part in parts]) if parts else np.zeros(0)
    unlabelled = int((weights == 0).sum())
    if unlabelled:
        raise DataError(
            f"{unlabelled} of {len(source)} clips have no label",
            expected="labels for balanced sampling",
            cure="leave clips without labels out",
        )
    return weights


def class_counts(source: ClipSource) -> np.ndarray:
    """Clips of each class, float64 `[C]`."""
    parts = [source.label_matrix(part).sum(axis=0, dtype=np.float64) for part in _parts(source)]
    return np.sum(parts, axis=0) if parts else np.zeros(len(source.label_names))


def _parts(source: ClipSource) -> list[np.ndarray]:
    """Rows of all clips, some at a time: a matrix of millions of clips by hundreds of classes is too large."""
    return [np.arange(i, min(i + _CLIPS_AT_ONCE, len(source))) for i in range(0, len(source), _CLIPS_AT_ONCE)]


class BalancedSampler(StatelessSampler):
    """Draws each clip with a probability in proportion to its weight (a `contracts.Sampler`).

    Args:
        ids: int64 `[N]` numbers of the clips, all different, in any order.
        weights: `[N]`, above 0.
        global_batch: clips per step over all ranks.
        seed: the run's seed.

    Raises:
        DataError: without clips, if an id occurs twice, or a weight is not positive.
        UsageError: if the batch is not positive, or weights and ids are not equally many.
    """

    def __init__(self, ids: np.ndarray, weights: np.ndarray, global_batch: int, seed: int):
        if len(ids) != len(weights):
            raise UsageError(f"{len(weights)} weights for {len(ids)} clips", expected="one for each")
        super().__init__(ids, global_batch, seed)
        chosen = np.asarray(weights, dtype=np.float64)[np.argsort(ids)]
        if not (np.isfinite(chosen).all() and (chosen > 0).all()):
            raise DataError("a clip's weight is not a number above 0", expected="weights above 0")
        self._up_to = np.cumsum(chosen) / chosen.sum()

    def plan(self, step: int) -> np.ndarray:
        """Ids of the global batch of `step`, int64 `[G]`; one may occur twice."""
        positions = step * self.global_batch + np.arange(self.global_batch)
        return self.ids[self._drawn(positions, 1, "clips/balanced")[:, 0]]

    def replacement(self, position: int, attempt: int) -> int:
        """Another id for the bad sample at a global position: pure, and not already in that batch.

        It is drawn by the same weights. Where the batch already holds nearly every clip, the first that it does not
        hold is taken, and where it holds all, any other than the bad one.

        Raises:
            DataError: if there is no other clip.
        """
        step, slot = divmod(position, self.global_batch)
        planned = self.plan(step)
        tries = self.ids[self._drawn(np.array([position]), _TRIES, f"clips/balanced/replacement {attempt}")[0]]
        others = np.setdiff1d(self.ids, planned)
        rest = others if len(others) else self.ids[self.ids != planned[slot]]
        if len(rest) == 0:
            raise DataError("the only clip cannot be read", expected="another one to put in its place")
        fitting = tries[np.isin(tries, rest)]
        return int(fitting[0] if len(fitting) else rest[(slot + attempt * self.global_batch) % len(rest)])

    def _drawn(self, positions: np.ndarray, count: int, purpose: str) -> np.ndarray:
        """`count` places in `ids` for each position, `[G, count]`: inverse distribution function of uniform draws."""
        where = torch.from_numpy(positions.astype(np.int64))
        draws = uniform(Randomness(self.seed).keys(where, where), count, purpose, torch.float64).numpy()
        return np.searchsorted(self._up_to, draws, side="right").clip(max=len(self.ids) - 1)
