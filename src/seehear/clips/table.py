"""Clips in a Lance table: read in place, a batch of rows at a time, at a pinned version.

Legend: N clips, F frames on offer, T frames taken, S samples of sound.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seehear.clips.choice import FrameChoice
from seehear.clips.index import ClipIndex, LabelCodes
from seehear.clips.lance_files import open_dataset, storage_failures, text_of
from seehear.clips.source import Collection
from seehear.clips.window import wanted
from seehear.contracts import SAMPLE_RATE, Needs
from seehear.errors import DataError, MediaError, SkipReason, StorageError
from seehear.media import decode_jpeg

_LIGHT = ["id", "source", "start_seconds", "duration_seconds", "split", "labels", "caption"]
_LIGHT += ["frame_seconds", "audio_codec"]


class TableClips(Collection):
    """The clips of a table.

    Args:
        path_or_uri: where it is: a path, or the URI of an object store.
        version: the version to read; None for the newest. It stays what it is, whatever is written later.
        partial: read a table whose packing has not ended.
        storage_options: settings of the object store, passed on to Lance.

    Attributes:
        uri: where the table is.
        version: the version that is read.

    Raises:
        StorageError: if there is no table, it is of another format, damaged, or its packing has not ended.
        DataError: if it has no rows, or an id occurs twice.
    """

    def __init__(
        self,
        path_or_uri: str | Path,
        version: int | None = None,
        *,
        partial: bool = False,
        storage_options: dict[str, str] | None = None,
    ):
        from seehear.clips.pack_state import state_of
        from seehear.clips.schema import check_schema

        self.uri = text_of(path_or_uri)
        dataset = open_dataset(path_or_uri, version, storage_options)
        if dataset is None:
            raise _no_table(self.uri)
        check_schema(dataset.schema, self.uri)
        self._dataset, self.version = dataset, int(dataset.version)
        with storage_failures(self.uri):
            self._state = state_of(dataset)
            if not partial and self._state is not None and not self._state.complete:
                raise _unfinished(self.uri, self._state.next_file)
            light = dataset.to_table(columns=_LIGHT)
        if len(light) == 0:
            raise DataError(f"{self.uri} has no rows", cure=f"seehear pack FOLDER {self.uri} --overwrite")
        self._times = _Lists(light["frame_seconds"])
        self._codecs = light["audio_codec"].to_pylist()
        super().__init__(_index(light, self._times, self._codecs), int(self._times.lengths.max(initial=0)))
        self._all_names = self._index.names

    def video(self, index: int) -> bytes | None:
        """The clip as a video file, where the table keeps it.

        Raises:
            StorageError: if the table has no such column, or cannot be read.
        """
        return self._blob("video", index)

    def truth_arrays(self, index: int) -> dict[str, np.ndarray]:
        """Masks, stems and the like of a clip; empty where there are none.

        Raises:
            StorageError: if the table cannot be read.
        """
        import io

        if "truth_arrays" not in self._dataset.schema.names:
            return {}
        data = self._blob("truth_arrays", index)
        if data is None:
            return {}
        with storage_failures(self.uri), np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return dict(arrays)

    def _blob(self, column: str, index: int) -> bytes | None:
        if column not in self._dataset.schema.names:
            raise StorageError(f"{self.uri} has no column {column!r}", cure="pack it with --keep-video")
        with storage_failures(self.uri):
            blob = self._dataset.take_blobs(column, indices=[int(self._rows[index])])[0]
            if blob is None:
                return None
            with blob as file:
                return file.readall()

    def _decode(self, rows: np.ndarray, needs: Needs, choices: Sequence[FrameChoice]) -> list[Any]:
        columns = ["frames"] * (needs.frames is not None) + ["audio"] * (needs.audio is not None)
        if not columns:
            return [(None, None, None)] * len(rows)
        distinct, places = np.unique(rows, return_inverse=True)
        with storage_failures(self.uri):
            taken = self._dataset.take(distinct.tolist(), columns=columns)
        audio = taken["audio"] if needs.audio is not None else None
        frames = taken["frames"] if needs.frames is not None else None
        return [
            self._parts(int(row), needs, choice, _at(audio, place), _at(frames, place))
            for row, place, choice in zip(rows, places.tolist(), choices, strict=True)
        ]

    def _parts(self, row: int, needs: Needs, choice: FrameChoice, audio: Any, frames: Any) -> Any:
        """Frames, their times and sound of one row, or the error."""
        try:
            return decode_row(audio, self._codecs[row], frames, self._times[row], needs, choice)
        except MediaError as error:
            name = self._all_names[row]
            return MediaError(error.reason, error.detail, path=f"{self.uri}, clip {name}", cure="pack the table again")

    def _truth(self, row: int) -> dict[str, Any]:
        import json

        with storage_failures(self.uri):
            text = self._dataset.take([row], columns=["truth"])["truth"][0].as_py()
            return json.loads(text) if text else {}

    def _content(self) -> Any:
        if self._state is not None:
            return {"rows": self._state.content}
        files = sorted(f.path for fragment in self._dataset.get_fragments() for f in fragment.data_files())
        return {"version": self.version, "files": files}


class _Lists:
    """A column of lists of numbers, as one array and offsets."""

    def __init__(self, column: Any):
        chunks = [chunk.fill_null([]) if chunk.null_count else chunk for chunk in column.chunks]
        self.lengths = np.concatenate([chunk.value_lengths().to_numpy(zero_copy_only=False) for chunk in chunks])
        self.offsets = np.concatenate([[0], np.cumsum(self.lengths, dtype=np.int64)])
        self.values = np.concatenate([chunk.flatten().to_numpy(zero_copy_only=False) for chunk in chunks])

    def __getitem__(self, row: int) -> np.ndarray:
        return self.values[self.offsets[row] : self.offsets[row + 1]]


def _index(light: Any, times: _Lists, codecs: list[str | None]) -> ClipIndex:
    def texts(name: str) -> list[str]:
        return [text or "" for text in light[name].to_pylist()]

    return ClipIndex.build(
        names=texts("id"),
        sources=texts("source"),
        start_seconds=light["start_seconds"].to_numpy(),
        duration_seconds=light["duration_seconds"].to_numpy(),
        splits=texts("split"),
        labels=LabelCodes.of(row or [] for row in light["labels"].to_pylist()),
        captions=texts("caption"),
        has_audio=np.array([codec is not None for codec in codecs]),
        has_image=times.lengths > 0,
    )


def _at(column: Any, place: int) -> Any:
    """The Arrow value at a place; None where the column was not read or the value is null."""
    if column is None:
        return None
    value = column[place]
    return value if value.is_valid else None


def decode_row(
    audio: Any, codec: str | None, frames: Any, frame_seconds: np.ndarray, needs: Needs, choice: FrameChoice
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """Frames `[T, H, W, 3]`, their times `[T]` and sound `[S]` of one row, as far as `needs` asks.

    Args:
        audio: Arrow value of the column, or None.
        codec: of the sound; None without sound.
        frames: Arrow value of the column, or None.
        frame_seconds: `[F]` times of the stored frames.
        needs: what to take.
        choice: which window and which frames.

    Raises:
        MediaError: if what is stored is damaged.
    """
    sound = None if audio is None else _samples(audio.as_buffer(), codec)
    take = wanted(needs, choice, None if sound is None else len(sound) / SAMPLE_RATE, frame_seconds)
    pictures = None
    if take.places is not None:
        if frames is None:
            raise MediaError(SkipReason.TRUNCATED, f"no frames with {len(frame_seconds)} times")
        pictures = _pictures(frames.values, len(frame_seconds), take.places)
    heard = None if sound is None else sound[take.samples]
    return pictures, None if take.places is None else frame_seconds[take.places], heard


def _samples(data: Any, codec: str | None) -> np.ndarray:
    """int16 `[S]` of stored sound."""
    if codec == "flac":
        from seehear.media import decode_flac

        return decode_flac(data.to_pybytes())
    if codec != "pcm_s16le":
        raise MediaError(SkipReason.UNSUPPORTED, f"sound coded as {codec!r}", expected="pcm_s16le or flac")
    if len(data) % 2:
        raise MediaError(SkipReason.TRUNCATED, f"{len(data)} bytes of 16-bit sound", expected="an even number")
    return np.frombuffer(data, dtype="<i2")


def _pictures(stored: Any, count: int, places: np.ndarray) -> np.ndarray:
    """uint8 `[T, H, W, 3]` of the frames at some places."""
    if len(stored) != count:
        raise MediaError(SkipReason.TRUNCATED, f"{len(stored)} frames with {count} times", expected="one time each")
    decoded = {place: decode_jpeg(stored[place].as_py()) for place in set(places.tolist())}
    return np.stack([decoded[place] for place in places.tolist()])


def _no_table(uri: str) -> StorageError:
    """The error for a place without a table; what is there already is not named to be written to."""
    packed, place = Path(f"{uri.rstrip('/')}.lance"), Path(uri)
    if packed.is_dir():
        return StorageError(f"{uri} is no table", cause="the name without .lance", cure=f"{packed}")
    if place.is_dir() and any(place.iterdir()):
        return StorageError(f"{uri} is a folder, no table", cure=f"seehear pack {uri} {packed}")
    return StorageError(f"there is no table at {uri}", cure=f"seehear pack FOLDER {uri}")


def _unfinished(where: str, files: int) -> StorageError:
    return StorageError(
        f"{where}: packing stopped after {files} files",
        expected="a finished table",
        cause="`seehear pack` was stopped or is still running",
        cure="run the same `seehear pack` again: it goes on where it stopped (or open the table with partial=True)",
    )
