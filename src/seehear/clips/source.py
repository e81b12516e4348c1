"""What tables, folders and memory have in common as collections of clips: the index, subsets, identity.

A kind of collection derives from `Collection` and says how it decodes some of its rows (`_decode`).
Legend: N clips, C classes.
"""

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np

from seehear.clips.choice import FIXED, FrameChoice
from seehear.clips.clip import Clip
from seehear.clips.index import ClipIndex
from seehear.configuration import fingerprint as fingerprint_of
from seehear.configuration import unknown_name
from seehear.contracts import Needs
from seehear.errors import MediaError, UsageError


class Collection:
    """Base of all collections of clips; see `ClipSource` for the meaning of each property.

    Args:
        index: what is known of the clips.
        most_frames: the largest number of frames that one clip can offer.
    """

    def __init__(self, index: ClipIndex, most_frames: int):
        self._index = index
        self._most_frames = most_frames
        self._rows = np.arange(len(index))  # where each clip lies in the whole collection

    # What a kind of collection brings -----------------------------------------------------------------------------
    def _decode(self, rows: np.ndarray, needs: Needs, choices: Sequence[FrameChoice]) -> list[Any]:
        """For each row (of the whole collection) its `(frames, frame_seconds, audio)`, or its MediaError."""
        raise NotImplementedError

    def _truth(self, row: int) -> dict[str, Any]:
        raise NotImplementedError

    def _content(self) -> Any:
        """Something JSON-ready that differs where the content of the whole collection differs."""
        raise NotImplementedError

    # What all offer -----------------------------------------------------------------------------------------------
    def __len__(self) -> int:
        return len(self._index)

    @property
    def ids(self) -> np.ndarray:
        """Numbers of the clips, int64 `[N]`."""
        return self._index.ids

    @property
    def names(self) -> list[str]:
        """Names of the clips."""
        return self._index.names

    @property
    def splits(self) -> list[str]:
        """Split of each clip."""
        return self._index.splits

    @property
    def labels(self) -> list[list[str]]:
        """Class names of each clip."""
        return [self._index.labels.of_clip(i) for i in range(len(self))]

    @property
    def label_names(self) -> tuple[str, ...]:
        """All class names, sorted; a subset keeps those of the whole."""
        return self._index.labels.names

    @property
    def captions(self) -> list[str]:
        """Text of each clip."""
        return self._index.captions

    @property
    def sources(self) -> list[str]:
        """File that each clip was cut from."""
        return self._index.sources

    @property
    def start_seconds(self) -> np.ndarray:
        """Where each clip begins in its file, float64 `[N]`."""
        return self._index.start_seconds

    @property
    def duration_seconds(self) -> np.ndarray:
        """Length of each clip, float64 `[N]`."""
        return self._index.duration_seconds

    @property
    def has_audio(self) -> np.ndarray:
        """Which clips have sound, bool `[N]`."""
        return self._index.has_audio

    @property
    def has_image(self) -> np.ndarray:
        """Which clips have pictures, bool `[N]`."""
        return self._index.has_image

    @property
    def most_frames(self) -> int:
        """The largest number of frames that one clip can offer."""
        return self._most_frames

    @property
    def fingerprint(self) -> str:
        """Identity of the content and of the choice of clips, whatever their order."""
        chosen = hashlib.blake2b(np.sort(self.ids).tobytes(), digest_size=16).hexdigest()
        return fingerprint_of({"content": self._content(), "clips": chosen})

    def label_matrix(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Class membership of some clips, float32 `[len(indices), C]`."""
        return self._index.labels.matrix(indices)

    def truth(self, index: int) -> dict[str, Any]:
        """What else is known of a clip."""
        return self._truth(int(self._rows[index]))

    def read(self, index: int, needs: Needs, frame_choice: FrameChoice = FIXED) -> Clip:
        """One clip, decoded as far as `needs` asks.

        Raises:
            MediaError: if it cannot be read.
        """
        clip = self.read_many([index], needs, [frame_choice])[0]
        if isinstance(clip, MediaError):
            raise clip
        clip.truth = self.truth(index)
        return clip

    def read_many(
        self,
        indices: Sequence[int] | np.ndarray,
        needs: Needs,
        choices: Sequence[FrameChoice] | None = None,
    ) -> list[Clip | MediaError]:
        """Several clips at once; one that cannot be read is returned as its error.

        `Clip.truth` is left empty here: `read(index)` and `truth(index)` bring it.
        """
        chosen = [FIXED] * len(indices) if choices is None else choices
        decoded = self._decode(self._rows[np.asarray(indices, dtype=np.int64)], needs, chosen)
        return [self._clip(int(i), parts) for i, parts in zip(indices, decoded, strict=True)]

    def _clip(self, index: int, parts: Any) -> Clip | MediaError:
        if isinstance(parts, MediaError):
            return parts
        frames, frame_seconds, audio = parts
        entry = self._index
        return Clip(
            id=entry.names[index],
            source=entry.sources[index],
            start_seconds=float(entry.start_seconds[index]),
            duration_seconds=float(entry.duration_seconds[index]),
            split=entry.splits[index],
            labels=entry.labels.of_clip(index),
            caption=entry.captions[index],
            frames=frames,
            frame_seconds=frame_seconds,
            audio=audio,
        )

    def subset(self, split: str | None = None, indices: Sequence[int] | np.ndarray | None = None) -> Self:
        """Some of the clips: of one split, at given indices, or both (indices count within the whole).

        Raises:
            UsageError: if there is no such split.
        """
        chosen = np.arange(len(self)) if indices is None else np.asarray(indices, dtype=np.int64)
        if split is not None:
            if split not in self.splits:
                raise unknown_name(f"split {split!r}", split, set(self.splits))
            chosen = np.array([i for i in chosen if self.splits[i] == split], dtype=np.int64)
        if len(chosen) and not (chosen.min() >= 0 and chosen.max() < len(self)):
            raise UsageError(f"index {chosen.max()} in a collection of {len(self)} clips")
        part = copy.copy(self)
        part._index = self._index.take(chosen)
        part._rows = self._rows[chosen]
        return part

    def with_classes(self, names: Sequence[str]) -> Self:
        """The same clips with the classes `names` `[C]`, in that order: what a trained classifier knows.

        Raises:
            DataError: if a clip has a class that is not among them.
        """
        part = copy.copy(self)
        part._index = replace(self._index, labels=self._index.labels.renamed(names))
        return part

    def usable(self, needs: Needs) -> Self:
        """The clips that have every modality which `needs` asks for."""
        return self.subset(indices=np.flatnonzero(complete(self, needs)))


def complete(source: Any, needs: Needs) -> np.ndarray:
    """Which clips have every modality that is needed, bool `[N]`."""
    result = np.ones(len(source), dtype=bool)
    if needs.audio is not None:
        result &= source.has_audio
    if needs.frames is not None:
        result &= source.has_image
    return result
