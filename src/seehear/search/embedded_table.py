"""A clip table that models have embedded: what is known of its clips, their vectors, and what can be shown of them.

Legend: N clips, M clips that have a vector, D width, S samples of sound.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from seehear.clips.lance_files import open_dataset, storage_failures
from seehear.clips.table import TableClips
from seehear.configuration import unknown_name
from seehear.contracts import AudioNeed, Modality, Needs
from seehear.errors import MediaError, StorageError, UsageError
from seehear.search.columns import Embedded, embedded_in

_ROUNDING = 1e-6  # of the length of a vector that was normalised in float32
_WHOLE_SOUND = Needs(audio=AudioNeed(seconds=1e6))


@dataclass(frozen=True, eq=False)
class Vectors:
    """The vectors of one column.

    Attributes:
        rows: int64 `[M]`, the clips that have one, rising.
        values: float32 `[M, D]`, L2-normalised.
    """

    rows: NDArray[np.int64]
    values: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, row: int) -> NDArray[np.float32] | None:
        """The vector of clip `row`, `[D]`; None where it has none."""
        place = int(np.searchsorted(self.rows, row))
        return self.values[place] if place < len(self.rows) and self.rows[place] == row else None


class EmbeddedTable:
    """A clip table at one version, read only.

    Args:
        path_or_uri: where it is.
        version: the version to read; None for the newest.
        storage_options: settings of the object store, passed on to Lance.

    Attributes:
        uri: where it is.
        version: the version that is read, whatever is written later.
        embedded: its columns of vectors.
        dataset: the Lance dataset at that version.
        storage_options: settings of the object store.

    Raises:
        StorageError: if there is no table, it is damaged, its packing has not ended, or no model has embedded it.
        DataError: if it has no rows.
    """

    def __init__(
        self, path_or_uri: str | Path, version: int | None = None, *, storage_options: dict[str, str] | None = None
    ):
        self._clips = TableClips(path_or_uri, version, storage_options=storage_options)
        self.uri, self.version = self._clips.uri, self._clips.version
        self.dataset = cast(Any, open_dataset(self.uri, self.version, storage_options))
        self.embedded: tuple[Embedded, ...] = tuple(embedded_in(self.dataset.schema))
        self.storage_options = storage_options
        self._vectors: dict[str, Vectors] = {}
        self._counts: dict[str, int] = {}
        if not self.embedded:
            raise StorageError(
                f"{self.uri} holds no vectors",
                expected="a table that a model has embedded",
                cure=f"seehear embed MODEL {self.uri}",
            )

    def __len__(self) -> int:
        return len(self._clips)

    def newest(self) -> "EmbeddedTable":
        """The same table at its newest version."""
        return EmbeddedTable(self.uri, storage_options=self.storage_options)

    # What is known of each clip -----------------------------------------------------------------------------------
    @property
    def ids(self) -> NDArray[np.int64]:
        """The 63-bit hash of each clip's id, `[N]`."""
        return self._clips.ids

    @cached_property
    def names(self) -> list[str]:
        """Id of each clip."""
        return self._clips.names

    @cached_property
    def sources(self) -> list[str]:
        """File that each clip was cut from."""
        return self._clips.sources

    @cached_property
    def source_codes(self) -> NDArray[np.int64]:
        """A number for the file of each clip, `[N]`: equal where the file is."""
        return np.unique(np.array(self.sources), return_inverse=True)[1]

    @cached_property
    def start_seconds(self) -> NDArray[np.float64]:
        """Where each clip begins in its file, `[N]`."""
        return self._clips.start_seconds

    @cached_property
    def duration_seconds(self) -> NDArray[np.float64]:
        """Length of each clip, `[N]`."""
        return self._clips.duration_seconds

    @cached_property
    def splits(self) -> list[str]:
        """Split of each clip."""
        return self._clips.splits

    @cached_property
    def labels(self) -> list[list[str]]:
        """Class names of each clip."""
        return self._clips.labels

    @cached_property
    def label_names(self) -> tuple[str, ...]:
        """All class names, sorted."""
        return self._clips.label_names

    @cached_property
    def captions(self) -> list[str]:
        """Text of each clip."""
        return self._clips.captions

    @cached_property
    def has_audio(self) -> NDArray[np.bool_]:
        """Which clips have sound, `[N]`."""
        return self._clips.has_audio

    @cached_property
    def has_image(self) -> NDArray[np.bool_]:
        """Which clips have pictures, `[N]`."""
        return self._clips.has_image

    @cached_property
    def name_order(self) -> NDArray[np.int64]:
        """Place of each clip among all, sorted by id, `[N]`: what breaks ties."""
        order = np.empty(len(self), np.int64)
        order[np.argsort(np.array(self.names), kind="stable")] = np.arange(len(self))
        return order

    @cached_property
    def addresses(self) -> NDArray[np.uint64]:
        """Lance's address of each row, `[N]`."""
        with storage_failures(self.uri):
            return self.dataset.to_table(columns=[], with_row_address=True)["_rowaddr"].to_numpy()

    def rows_at(self, addresses: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Rows of some of Lance's addresses."""
        return self._by_address[np.searchsorted(self.addresses, addresses, sorter=self._by_address)]

    @cached_property
    def _by_address(self) -> NDArray[np.int64]:
        return np.argsort(self.addresses, kind="stable")

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Row of each id."""
        return {name: row for row, name in enumerate(self.names)}

    def row(self, clip: str) -> int:
        """Row of the clip with this id; of a file's name, of its first clip.

        Raises:
            UsageError: if there is none, naming the nearest.
        """
        if clip in self.row_of:
            return self.row_of[clip]
        of_file = [row for row, source in enumerate(self.sources) if source == clip]
        if of_file:
            return min(of_file, key=lambda row: self.start_seconds[row])
        import difflib

        near = difflib.get_close_matches(clip, self.names[:100_000], n=1)
        raise UsageError(
            f"{self.uri} has no clip {clip!r}",
            expected=f"the id of one of its {len(self)} clips",
            cure=near[0] if near else f"an id such as {self.names[0]}",
        )

    # Whose vectors there are --------------------------------------------------------------------------------------
    @property
    def models(self) -> tuple[str, ...]:
        """Slugs of the models that have embedded it."""
        return tuple(dict.fromkeys(column.slug for column in self.embedded))

    def columns_of(self, model: str | None = None) -> dict[Modality, Embedded]:
        """The columns of one model, by modality.

        Args:
            model: its slug or name; None where there is one only.

        Raises:
            UsageError: if there are several and none is named, or none of this name.
        """
        slugs = list(self.models)
        if model is not None:
            slugs = [model] if model in slugs else sorted({c.slug for c in self.embedded if c.model == model})
        if not slugs:
            raise unknown_name(f"model {model!r} of {self.uri}", str(model), self.models)
        if len(slugs) > 1:
            raise UsageError(
                f"{self.uri} holds vectors of {len(slugs)} models: {', '.join(slugs)}",
                expected="the name of one",
                cure=f"--model {slugs[0]}",
            )
        return {column.modality: column for column in self.embedded if column.slug == slugs[0]}

    def vectors(self, column: Embedded) -> Vectors:
        """All vectors of a column, read once and kept.

        Raises:
            StorageError: if they cannot be read, or are not finite.
        """
        if column.column not in self._vectors:
            self._vectors[column.column] = self._read(column)
        return self._vectors[column.column]

    def count(self, column: Embedded) -> int:
        """How many clips have a vector in a column.

        Raises:
            StorageError: if the table cannot be read.
        """
        if column.column in self._vectors:
            return len(self._vectors[column.column])
        if column.column not in self._counts:
            with storage_failures(self.uri):
                self._counts[column.column] = self.dataset.count_rows(filter=f"`{column.column}` IS NOT NULL")
        return self._counts[column.column]

    def vectors_at(self, column: Embedded, rows: NDArray[np.int64]) -> Vectors:
        """The vectors of some clips, those that have one; reads no more than these.

        Args:
            column: of vectors.
            rows: rising.

        Raises:
            StorageError: if they cannot be read, or are not finite.
        """
        if column.column in self._vectors:
            all_of_them = self._vectors[column.column]
            places = np.flatnonzero(np.isin(all_of_them.rows, rows))
            return Vectors(all_of_them.rows[places], all_of_them.values[places])
        with storage_failures(self.uri):
            taken = self.dataset.take(rows.tolist(), columns=[column.column])
            found = self._gathered(column, taken.to_batches(), len(rows))
        return Vectors(rows[found.rows], found.values)

    def _read(self, column: Embedded) -> Vectors:
        with storage_failures(self.uri):
            return self._gathered(column, self.dataset.to_batches(columns=[column.column]), len(self))

    def _gathered(self, column: Embedded, batches: Iterable[Any], count: int) -> Vectors:
        """The vectors of so many rows that come as Arrow batches."""
        values, present = np.empty((count, column.width), np.float32), np.zeros(count, bool)
        row = filled = 0
        for batch in batches:
            array = batch.column(0)
            part = array.drop_null()
            flat = part.flatten().to_numpy(zero_copy_only=False)
            values[filled : filled + len(part)] = flat.reshape(len(part), column.width)
            present[row : row + len(array)] = array.is_valid().to_numpy(zero_copy_only=False)
            row, filled = row + len(array), filled + len(part)
        lengths = np.sqrt(np.einsum("ij,ij->i", values[:filled], values[:filled], dtype=np.float64))
        if not np.isfinite(lengths).all():
            raise StorageError(
                f"{self.uri}: column {column.column} holds NaN or infinity",
                cause="a network that diverged, or a damaged table",
                cure=f"seehear embed {column.model} {self.uri} --overwrite",
            )
        uneven = np.flatnonzero((np.abs(lengths - 1) > _ROUNDING) & (lengths > 0))  # of a network in half precision
        values[uneven] /= lengths[uneven, None].astype(np.float32)
        return Vectors(np.flatnonzero(present), values[:filled])

    # What can be shown of a clip ----------------------------------------------------------------------------------
    def frames_of(self, row: int) -> list[bytes]:
        """The stored frames of a clip as JPEG files, in time order.

        Raises:
            StorageError: if they cannot be read.
        """
        with storage_failures(self.uri):
            return self.dataset.take([row], columns=["frames"])["frames"][0].as_py() or []

    def sound_of(self, row: int) -> NDArray[np.int16] | None:
        """Sound of a clip, int16 `[S]` at 16 kHz mono; None where it has none.

        Raises:
            StorageError: if the table cannot be read.
            MediaError: if the sound is damaged.
        """
        clip = self._clips.read_many([row], _WHOLE_SOUND)[0]
        if isinstance(clip, MediaError):
            raise clip
        return clip.audio

    def video_of(self, row: int) -> bytes | None:
        """The clip as a video file, where the table keeps it.

        Raises:
            StorageError: if it cannot be read.
        """
        return self._clips.video(row) if "video" in self.dataset.schema.names else None
