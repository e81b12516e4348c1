"""Evaluate a fine-tuned network on labelled clips: it names their classes, and is told which they are."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seehear import clips, tasks
from seehear.clips.balanced_sampler import class_counts
from seehear.contracts import Batch, Classifies, Figure, Needs
from seehear.errors import DataError
from seehear.runs.splits import named, rows_of_split
from seehear.tasks import Answers, Protocol
from seehear.training import DataConfig


@dataclass(frozen=True)
class Labelled:
    """The clips of a split that carry a label, whichever modality they lack, and how many carry none."""

    source: clips.ClipSource
    unlabelled: int


def labelled_split(data: DataConfig, split: str, table: str | None = None) -> Labelled:
    """The labelled clips of one split.

    Args:
        data: the run's clips.
        split: its name.
        table: other clips than the run's own.

    Raises:
        UsageError: if there is no such split.
        DataError: if none of its clips carries a label.
    """
    source, rows = rows_of_split(data, split, table)
    labels = source.labels
    labelled = np.array([row for row in rows if labels[row]], dtype=np.int64)
    if not len(labelled):
        raise DataError(
            f"none of {len(rows)} clips of split {split!r} in {named(data, table)} has a label",
            expected="labelled clips",
            cure="name `labels` in the manifest before packing",
        )
    return Labelled(source.subset(indices=labelled), len(rows) - len(labelled))


def answers_of(classifier: Classifies, source: clips.ClipSource, batch: int, pairs: bool = True) -> Answers:
    """What a classifier says of labelled clips, and of their sounds with pictures of other clips.

    Args:
        classifier: a method.
        source: labelled clips; some may lack a modality.
        batch: pictures that go through the network at a time (no influence on the figures).
        pairs: also show wrong pairs.

    Raises:
        DataError: if a clip has a class that the network does not name.
    """
    source, needs = source.with_classes(classifier.classes), _needs(classifier, source)
    size = max(1, batch // (needs.frames.count if needs.frames is not None else 1))
    found = tasks.predict(classifier, clips.in_order(source, needs, size))
    rows = np.flatnonzero(source.has_audio & source.has_image)
    if not pairs or needs.audio is None or needs.frames is None or len(rows) < 2:
        return Answers(found)
    rows = rows[np.argsort(source.ids[rows])]
    others = np.roll(rows, len(rows) // 2)

    def stream(indices: np.ndarray, wanted: Needs) -> Iterator[Batch]:
        return clips.in_order(source.subset(indices=indices), wanted, size)

    sounds, pictures = stream(rows, replace(needs, frames=None)), stream(others, replace(needs, audio=None))
    return Answers(found, tasks.predict_wrong_pairs(classifier, sounds, pictures))


def _needs(classifier: Any, source: clips.ClipSource) -> Needs:
    """What the network reads, with as many pictures of a clip as it averages over, or as there are."""
    needs: Needs = classifier.needs
    if needs.frames is None:
        return needs
    each = needs.frames.count
    pictures = max(1, min(classifier.test_frames, source.most_frames) // each)
    return replace(needs, frames=replace(needs.frames, count=each * pictures))


def classification(
    trained: Classifies,
    untrained: Classifies,
    data: DataConfig,
    split: str,
    table: str | None,
    batch: int,
) -> Iterator[Figure]:
    """Every figure of a fine-tuned network on one split, beside the same network before any training.

    Args:
        trained: the network.
        untrained: the same one with random weights.
        data: the run's clips; its training split says how frequent the classes are.
        split: to test on.
        table: other clips than the run's own.
        batch: pictures that go through the network at a time.

    Raises:
        DataError: if the clips have no labels, or classes that the network does not name.
    """
    counts = class_counts(labelled_split(data, data.train_split).source.with_classes(trained.classes))
    test = labelled_split(replace(data, more_tables=()), split, table).source
    found, floor = (answers_of(network, test, batch) for network in (trained, untrained))
    yield from tasks.fine_tuned(found, Protocol.of(trained, counts), floor)
