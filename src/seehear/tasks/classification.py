"""What class scores are worth: the figures that kNN, probes and missing-modality tests share.

Clips with one label each are scored by top-1 accuracy, others by mAP and top-1 hit (any of the labels). Only labelled
clips take part; classes that the training clips never show cannot be named, so they lower the ceiling.

Legend: N clips, C classes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seehear.contracts import Figure
from seehear.errors import DataError
from seehear.metrics.arrays import LABEL_THRESHOLD
from seehear.tasks.class_scores import mean_ap, top_1
from seehear.tasks.embeddings import Embeddings

Split = tuple[Embeddings, Embeddings]  # clips to learn from, clips to test on


@dataclass(frozen=True)
class Problem:
    """One classification problem.

    Attributes:
        train: labelled clips to learn from.
        test: labelled clips to test on.
        multi_label: some clip has more than one label.
        left_out: clips left out of either side, for want of a modality or a label.
    """

    train: Embeddings
    test: Embeddings
    multi_label: bool
    left_out: int

    @property
    def note(self) -> str:
        """The protocol in words."""
        text = f"{len(self.train)} clips to learn from, {len(self.test)} to test on"
        return text + (f", {self.left_out} left out (no label or modality)" if self.left_out else "")


def problem(split: Split, modality: str) -> Problem | None:
    """The problem on the labelled clips that have `modality` ("audio", "image" or "both"); None if a side has none.

    Raises:
        DataError: if either side carries no labels at all, or other classes than the other.
    """
    train, test = split
    if train.label_matrix().shape[1] != test.label_matrix().shape[1] or train.label_names != test.label_names:
        raise DataError(
            f"training clips have {train.label_matrix().shape[1]} classes, test clips {test.label_matrix().shape[1]}",
            expected="the same classes in the same order",
        )
    sides = [side.select(side.labelled() & side.has(modality)) for side in split]
    if not all(map(len, sides)):
        return None
    multi_label = any((members(side).sum(axis=1) > 1).any() for side in split)
    return Problem(sides[0], sides[1], multi_label, len(train) + len(test) - len(sides[0]) - len(sides[1]))


def members(clips: Embeddings) -> NDArray[np.bool_]:
    """Bool labels `[N, C]`."""
    return np.asarray(clips.label_matrix() >= LABEL_THRESHOLD)


def class_figures(name: str, scores: np.ndarray, of: Problem, note: str) -> Iterator[Figure]:
    """Figures of `scores [N, C]` for the problem's test clips, named `<name>/top-1` and `<name>/mAP`."""
    labels, train_counts = members(of.test), members(of.train).sum(axis=0)
    if of.multi_label:
        yield mean_ap(f"{name}/mAP", scores, labels, note)
    yield top_1(f"{name}/top-1", scores, labels, train_counts, note)
