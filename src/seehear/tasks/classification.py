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
from seehear.metrics import chance_top_k, mean_average_precision, top_k_correct, wilson_lower_bound
from seehear.metrics.arrays import LABEL_THRESHOLD
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
    if of.multi_label:
        yield _mean_ap(f"{name}/mAP", scores, of, note)
    yield _top_1(f"{name}/top-1", scores, of, note)


def _top_1(name: str, scores: np.ndarray, of: Problem, note: str) -> Figure:
    labels, seen = members(of.test), members(of.train).any(axis=0)
    value = float(top_k_correct(scores, labels, 1).mean())
    majority = int(members(of.train).sum(axis=0).argmax())
    return Figure(
        name=name,
        value=value,
        chance=chance_top_k(labels[:, seen], 1, int(seen.sum())),
        ceiling=float(labels[:, seen].any(axis=1).mean()),
        baselines={"majority class": float(labels[:, majority].mean())},
        note=note,
        lower_bound=wilson_lower_bound(value, len(labels)),
    )


def _mean_ap(name: str, scores: np.ndarray, of: Problem, note: str) -> Figure:
    labels = members(of.test)
    found = mean_average_precision(scores, labels)
    if found.excluded:
        note += f", {found.excluded} of {labels.shape[1]} classes without test clips do not count"
    chance = mean_average_precision(np.zeros_like(scores), labels).value
    return Figure(name=name, value=found.value, chance=chance, ceiling=1.0, note=note)
