"""Several collections as one, e.g. AudioSet, VGGSound and ACAV for AVSiam's Base+.

Clips of the first come first. Names must tell clips apart: where a later collection holds a name that is taken, all of
its names get its number in front.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from seehear.clips.choice import FrameChoice
from seehear.clips.clip import Clip
from seehear.clips.index import ClipIndex, LabelCodes
from seehear.clips.source import Collection
from seehear.contracts import Needs
from seehear.errors import DataError


class JoinedClips(Collection):
    """Collections one after the other; classes are those of all, a clip keeps its own.

    Args:
        parts: two or more collections.

    Raises:
        DataError: without any.
    """

    def __init__(self, parts: Sequence[Collection]):
        if not parts:
            raise DataError("there are no collections to join", expected="at least one")
        self._parts = list(parts)
        self._first = np.cumsum([0, *map(len, parts)])
        super().__init__(_index(self._parts), max(part.most_frames for part in parts))

    def _decode(self, rows: np.ndarray, needs: Needs, choices: Sequence[FrameChoice]) -> list[Any]:
        found: list[Any] = [None] * len(rows)
        owners = np.searchsorted(self._first, rows, side="right") - 1
        for owner in np.unique(owners):
            places = np.flatnonzero(owners == owner)
            own = [choices[int(place)] for place in places]
            clips = self._parts[owner].read_many(rows[places] - self._first[owner], needs, own)
            for place, clip in zip(places, clips, strict=True):
                found[place] = (clip.frames, clip.frame_seconds, clip.audio) if isinstance(clip, Clip) else clip
        return found

    def _truth(self, row: int) -> dict[str, Any]:
        owner = int(np.searchsorted(self._first, row, side="right")) - 1
        return self._parts[owner].truth(row - int(self._first[owner]))

    def _content(self) -> Any:
        return [part.fingerprint for part in self._parts]


def _index(parts: Sequence[Collection]) -> ClipIndex:
    def together(name: str) -> list[Any]:
        return list(chain.from_iterable(getattr(part, name) for part in parts))

    return ClipIndex.build(
        names=_names(parts),
        sources=together("sources"),
        start_seconds=np.concatenate([part.start_seconds for part in parts]),
        duration_seconds=np.concatenate([part.duration_seconds for part in parts]),
        splits=together("splits"),
        labels=LabelCodes.of(together("labels")),
        captions=together("captions"),
        has_audio=np.concatenate([part.has_audio for part in parts]),
        has_image=np.concatenate([part.has_image for part in parts]),
    )


def _names(parts: Sequence[Collection]) -> list[str]:
    taken: set[str] = set()
    found: list[str] = []
    for number, part in enumerate(parts, 1):
        names = part.names
        if not taken.isdisjoint(names):
            names = [f"{number}/{name}" for name in names]
        taken.update(names)
        found += names
    return found
