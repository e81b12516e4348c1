"""Disjoint galleries of a fixed size: repeated measurements that share no clip.

The clips are dealt in rounds, one of each class per round while it lasts, each class in the order of its sample ids
(hashes, so as good as random); galleries are consecutive runs of that deal. Equal classes are thus balanced to one
clip in every gallery. A "class" is a whole label set; without labels, all clips are of one.
"""

from dataclasses import dataclass

import numpy as np

from seehear.errors import UsageError
from seehear.metrics import label_groups
from seehear.tasks.embeddings import Embeddings


@dataclass(frozen=True)
class Galleries:
    """How many disjoint galleries, and of how many clips each.

    Raises:
        UsageError: if either is below 1.
    """

    count: int = 5
    size: int = 200

    def __post_init__(self) -> None:
        if self.count < 1 or self.size < 1:
            raise UsageError(f"{self.count} galleries of {self.size} clips", expected="at least 1 of both")


def deal_galleries(clips: Embeddings, galleries: Galleries | None) -> list[Embeddings]:
    """The galleries: as many as asked for or as the clips suffice for, but at least one (of all clips, if too few).

    `None` asks for one gallery of all clips. No clips: no gallery.
    """
    if len(clips) == 0:
        return []
    if galleries is None or len(clips) < galleries.size:
        return [clips]
    order = _rounds(clips)
    count = min(galleries.count, len(clips) // galleries.size)
    return [clips.select(order[i * galleries.size : (i + 1) * galleries.size]) for i in range(count)]


def describe(found: list[Embeddings], asked: Galleries | None) -> str:
    """The galleries in words, with what was asked for if that is something else."""
    text = f"{len(found)} {'gallery' if len(found) == 1 else 'galleries'} of {len(found[0])} clips"
    if asked is not None and (len(found), len(found[0])) != (asked.count, asked.size):
        text += f" ({asked.count} of {asked.size} asked for)"
    return text


def _rounds(clips: Embeddings) -> np.ndarray:
    """Row numbers in the order of the deal."""
    groups = np.zeros(len(clips), np.int64) if clips.labels is None else label_groups(clips.labels)
    by_group = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[by_group], np.arange(groups.max() + 1))
    turn = np.empty(len(clips), np.int64)
    turn[by_group] = np.arange(len(clips)) - starts[groups[by_group]]
    return np.lexsort((groups, turn))
