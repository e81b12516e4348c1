"""Evaluation batches: every clip exactly once, in the source's order, with fixed windows and frames (promise R8)."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from seehear.clips.clip import Clip, ClipSource
from seehear.clips.collate import check_needs, collate
from seehear.clips.prefetch import ahead
from seehear.contracts import Batch, Needs
from seehear.errors import MediaError, UsageError


@dataclass(frozen=True)
class Unreadable:
    """A clip that an evaluation left out, and why."""

    index: int
    name: str
    reason: str
    detail: str


class InOrder:
    """An iterator over evaluation batches; see `in_order`.

    Attributes:
        skipped: the clips left out so far.
    """

    def __init__(
        self, source: ClipSource, needs: Needs, batch_size: int, threads: int, on_bad: Literal["raise", "skip"]
    ):
        check_needs(needs)
        if batch_size < 1:
            raise UsageError(f"a batch size of {batch_size}", expected="at least 1")
        self._source, self._needs, self._on_bad = source, needs, on_bad
        self.skipped: list[Unreadable] = []
        starts = range(0, len(source), batch_size)
        chunks = (np.arange(start, min(start + batch_size, len(source))) for start in starts)
        self._prepared = ahead(self._prepare, chunks, threads, threads + 1)

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        for batch, unreadable in self._prepared:
            self.skipped += unreadable
            if batch is not None:
                return batch
        raise StopIteration

    @property
    def counts(self) -> dict[str, int]:
        """Number of clips left out so far, by reason."""
        return dict(Counter(clip.reason for clip in self.skipped))

    def close(self) -> None:
        """Stop preparing batches."""
        self._prepared.close()

    def _prepare(self, indices: np.ndarray) -> tuple[Batch | None, list[Unreadable]]:
        read = self._source.read_many(indices, self._needs)
        unreadable = []
        for index, clip in zip(indices, read, strict=True):
            if isinstance(clip, MediaError):
                if self._on_bad == "raise":
                    raise clip
                name = self._source.names[index]
                unreadable.append(Unreadable(int(index), name, clip.reason.value, clip.detail))
        good = np.array([not isinstance(clip, MediaError) for clip in read], dtype=bool)
        if not good.any():
            return None, unreadable
        clips = cast(list[Clip], [clip for clip in read if not isinstance(clip, MediaError)])
        return collate(self._source, indices[good], indices[good], clips, self._needs), unreadable


def in_order(
    source: ClipSource,
    needs: Needs,
    batch_size: int = 64,
    *,
    threads: int = 1,
    on_bad: Literal["raise", "skip"] = "raise",
) -> InOrder:
    """Every clip of `source` once, in its order, for evaluation; the last batch is shorter.

    Sound is taken from the clip's start, the middle frame where one is asked for, evenly spread ones otherwise.
    `positions` are the clips' indices in `source`. A clip that lacks a modality has `has_audio` or `has_image` False.

    Args:
        source: the clips.
        needs: what to read of each.
        batch_size: clips per batch; it changes nothing else.
        threads: batches prepared at once; 0 prepares each when it is asked for.
        on_bad: "raise" at a clip that cannot be read, or "skip" it into the iterator's `skipped` and `counts`.

    Raises:
        UsageError: if the needs cannot be met.
        MediaError: while iterating, at a clip that cannot be read, if `on_bad` is "raise".
    """
    return InOrder(source, needs, batch_size, threads, on_bad)
