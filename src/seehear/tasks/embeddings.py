"""Embeddings of a set of clips: the one thing that every task but reconstruction reads.

Clips are kept in the order of their sample ids, so that no figure can depend on the order they came in; sample ids are
hashes, so that order is as good as random.

Legend: N clips, D width (may differ between arrays), C classes.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from seehear.errors import DataError
from seehear.metrics.arrays import LABEL_THRESHOLD

ARRAYS = ("audio", "image", "audio_pooled", "image_pooled", "sample_ids", "labels", "has_audio", "has_image")


@dataclass(frozen=True, eq=False)
class Embeddings:
    """What a network makes of N clips, in the order of their sample ids.

    Attributes:
        sample_ids: `[N]` int64, rising.
        has_audio: `[N]` bool, the clip has sound.
        has_image: `[N]` bool, the clip has pictures.
        audio: `[N, D]` float32, L2-normalised embeddings of the sound, zero where there is none; None if no clip has.
        image: the same of the pictures.
        audio_pooled: `[N, D]` float32, pooled features for probes, or None.
        image_pooled: the same of the pictures.
        labels: `[N, C]` float32 multi-hot, or None.
        names: N names for people.
        label_names: C names, or empty.
        duplicates: clips that came more than once and were counted once.

    Raises:
        DataError: if the arrays do not fit each other, hold NaN, or a sample id repeats.
    """

    sample_ids: NDArray[np.int64]
    has_audio: NDArray[np.bool_]
    has_image: NDArray[np.bool_]
    audio: NDArray[np.float32] | None = None
    image: NDArray[np.float32] | None = None
    audio_pooled: NDArray[np.float32] | None = None
    image_pooled: NDArray[np.float32] | None = None
    labels: NDArray[np.float32] | None = None
    names: tuple[str, ...] = ()
    label_names: tuple[str, ...] = ()
    duplicates: int = 0

    def __post_init__(self) -> None:
        count = len(self.sample_ids)
        if (np.diff(self.sample_ids) <= 0).any():
            raise DataError("sample ids of embeddings are not rising", expected="each clip once, in order of its id")
        if len(self.names) != count:
            raise DataError(f"{len(self.names)} names for {count} clips")
        for name in ARRAYS:
            array = getattr(self, name)
            if array is not None and len(array) != count:
                raise DataError(f"{name} has {len(array)} rows", expected=f"{count}, one per clip")
            if array is not None and not np.isfinite(array).all():
                raise DataError(f"{name} of {self._first_bad(array)} holds NaN or infinity", cause="a diverged network")

    def _first_bad(self, array: np.ndarray) -> str:
        return self.names[int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])]

    def __len__(self) -> int:
        return len(self.sample_ids)

    def has(self, modality: str) -> NDArray[np.bool_]:
        """`[N]` bool: which clips have `modality` ("audio", "image", or "both")."""
        present = {"audio": self.has_audio, "image": self.has_image, "both": self.has_audio & self.has_image}
        return present[modality]

    def label_matrix(self) -> NDArray[np.float32]:
        """The labels `[N, C]`.

        Raises:
            DataError: if the clips carry none.
        """
        if self.labels is None:
            raise DataError(
                f"the {len(self)} clips carry no labels",
                expected="labels for this figure",
                cure="name them in the manifest's column `labels`",
            )
        return self.labels

    def labelled(self) -> NDArray[np.bool_]:
        """`[N]` bool: which clips carry at least one label."""
        if self.labels is None:
            return np.zeros(len(self), dtype=np.bool_)
        return np.asarray((self.labels >= LABEL_THRESHOLD).any(axis=1))

    def select(self, rows: np.ndarray) -> "Embeddings":
        """Some of the clips, by bool mask `[N]` or by rising row numbers."""
        chosen = np.flatnonzero(rows) if np.asarray(rows).dtype == bool else np.sort(rows)
        arrays = {n: None if getattr(self, n) is None else getattr(self, n)[chosen] for n in ARRAYS}
        return replace(self, names=tuple(self.names[i] for i in chosen), **arrays)


def same_clips(one: Embeddings, other: Embeddings) -> None:
    """Check that two networks were shown the same clips.

    Raises:
        DataError: if they were not.
    """
    for item in fields(one):
        if item.name in ("sample_ids", "has_audio", "has_image") and not np.array_equal(
            getattr(one, item.name), getattr(other, item.name)
        ):
            raise DataError(
                f"two sets of embeddings to compare differ in {item.name} ({len(one)} and {len(other)} clips)",
                expected="the same clips, read the same way",
            )
