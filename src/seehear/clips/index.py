"""What is known of every clip of a collection without decoding any: names, splits, labels, which modalities.

Class membership is held as codes, so that a table of millions of clips stays small in memory.
Legend: N clips, C classes, L class memberships over all clips.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from seehear.errors import DataError
from seehear.randomness import stable_hash


@dataclass(frozen=True)
class LabelCodes:
    """The classes of many clips.

    Attributes:
        names: all class names, sorted, `[C]`.
        codes: int32 `[L]`, classes of the clips one after the other.
        offsets: int64 `[N + 1]`, where each clip's classes begin in `codes`.
    """

    names: tuple[str, ...]
    codes: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(cls, labels: Iterable[Sequence[str]]) -> "LabelCodes":
        """Codes of class names listed clip by clip."""
        lists = list(labels)
        names = tuple(sorted({name for row in lists for name in row}))
        code_of = {name: code for code, name in enumerate(names)}
        codes = np.array([code_of[name] for row in lists for name in row], dtype=np.int32)
        offsets = np.concatenate([[0], np.cumsum([len(row) for row in lists], dtype=np.int64)])
        return cls(names, codes, offsets.astype(np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def of_clip(self, index: int) -> list[str]:
        """Class names of one clip."""
        return [self.names[code] for code in self.codes[self.offsets[index] : self.offsets[index + 1]]]

    def matrix(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Class membership, float32 `[len(indices), C]`."""
        result = np.zeros((len(indices), len(self.names)), dtype=np.float32)
        for row, index in enumerate(indices):
            result[row, self.codes[self.offsets[index] : self.offsets[index + 1]]] = 1.0
        return result

    def renamed(self, names: Sequence[str]) -> "LabelCodes":
        """The same classes among `names` `[C]`, in that order.

        Raises:
            DataError: if a clip has a class that is not among them.
        """
        place = {name: code for code, name in enumerate(names)}
        used = [self.names[code] for code in np.unique(self.codes)]
        foreign = [name for name in used if name not in place]
        if foreign:
            some = ", ".join(map(repr, foreign[:3])) + (", ..." if len(foreign) > 3 else "")
            raise DataError(
                f"{len(foreign)} of {len(used)} classes of the clips are none of the {len(names)} expected ({some})",
                expected="clips labelled with the same class names",
                cause="labels of another data set",
            )
        codes = np.array([place.get(name, -1) for name in self.names], dtype=np.int32)
        return LabelCodes(tuple(names), codes[self.codes], self.offsets)

    def take(self, indices: np.ndarray) -> "LabelCodes":
        """The same for some clips; `names` stay those of the whole collection."""
        starts, lengths = self.offsets[indices], np.diff(self.offsets)[indices]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        places = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])
        return LabelCodes(self.names, self.codes[places], offsets)


@dataclass(frozen=True)
class ClipIndex:
    """The light columns of N clips; see `Clip` for what each means."""

    names: list[str]
    sources: list[str]
    start_seconds: np.ndarray
    duration_seconds: np.ndarray
    splits: list[str]
    labels: LabelCodes
    captions: list[str]
    has_audio: np.ndarray
    has_image: np.ndarray
    ids: np.ndarray

    @classmethod
    def build(
        cls,
        *,
        names: list[str],
        sources: list[str],
        start_seconds: np.ndarray,
        duration_seconds: np.ndarray,
        splits: list[str],
        labels: LabelCodes,
        captions: list[str],
        has_audio: np.ndarray,
        has_image: np.ndarray,
    ) -> "ClipIndex":
        """An index with the numbers of its names.

        Raises:
            DataError: if a name occurs twice, or two names have the same number.
        """
        ids = sample_ids(names)
        return cls(names, sources, start_seconds, duration_seconds, splits, labels, captions, has_audio, has_image, ids)

    def __len__(self) -> int:
        return len(self.names)

    def take(self, indices: np.ndarray) -> "ClipIndex":
        """The same for some clips."""
        return ClipIndex(
            [self.names[i] for i in indices],
            [self.sources[i] for i in indices],
            self.start_seconds[indices],
            self.duration_seconds[indices],
            [self.splits[i] for i in indices],
            self.labels.take(indices),
            [self.captions[i] for i in indices],
            self.has_audio[indices],
            self.has_image[indices],
            self.ids[indices],
        )


def sample_ids(names: Sequence[str]) -> np.ndarray:
    """The 63-bit BLAKE2b numbers of clip names, int64 `[N]`.

    Raises:
        DataError: if a name occurs twice, or two names have the same number.
    """
    ids = np.array([stable_hash(name) for name in names], dtype=np.int64)
    unique, counts = np.unique(ids, return_counts=True)
    if len(unique) == len(ids):
        return ids
    repeated = int(unique[counts > 1][0])
    same = sorted({names[i] for i in np.flatnonzero(ids == repeated).tolist()})
    if len(same) > 1:
        raise DataError(f"clips {same[0]!r} and {same[1]!r} have the same number {repeated}", cure="rename one of them")
    raise DataError(
        f"clip id {same[0]!r} occurs {int(counts.max())} times ({len(ids) - len(unique)} repeats in all)",
        expected="every clip to have an id of its own",
        cure="give the manifest a column 'id', or correct it",
    )
