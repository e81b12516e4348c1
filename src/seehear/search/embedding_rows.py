"""Rows of a clip table to rows of vectors: decode, batch, embed. Every engine runs this, so all give the same rows.

Of a clip longer than the network hears, "first" takes the beginning, as the retrieval evaluation does; "mean" takes
windows one after the other to its end and averages their embeddings (L2-normalised mean). Clips without sound give
their middle frame in both. Digital silence says nothing: such a window has no vector of sound.

Legend: B clips of a batch, W windows of a batch, T frames of a window, S samples, D width.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import torch

from seehear.clips.choice import FIXED, FixedChoice
from seehear.clips.clip import Clip
from seehear.clips.collate import tensors
from seehear.clips.prefetch import ahead
from seehear.clips.table import decode_row
from seehear.contracts import Batch, Method, Modality, Needs
from seehear.errors import DataError, MediaError, UsageError
from seehear.search.gathering import Work
from seehear.weights import Embedder, Precision, Vectors
from seehear.weights.file_windows import covering

Windows = Literal["first", "mean"]
WINDOWS: tuple[Windows, ...] = ("first", "mean")


def columns_read(needs: Needs) -> list[str]:
    """Columns of the clip table that embedding reads."""
    sound = ["audio", "audio_codec"] if needs.audio is not None else []
    frames = ["frames", "frame_seconds"] if needs.frames is not None else []
    return ["id", "duration_seconds", *sound, *frames]


@dataclass(frozen=True)
class _Prepared:
    """Some rows, decoded: window w belongs to row `owners[w]`; `skips` holds rows that cannot be decoded."""

    rows: np.ndarray
    owners: np.ndarray
    batch: Batch
    skips: dict[int, MediaError]


class RowEmbedder:
    """Embeds rows of a clip table.

    Args:
        method: the network.
        work: what is to come out.
        precision: of linear layers (`weights.Embedder`).
        windows: "first" or "mean".
        threads: batches decoded at once; 0 decodes each when it is asked for.

    Raises:
        UsageError: for an unknown precision or `windows`.
    """

    def __init__(self, method: Method, work: Work, precision: Precision, windows: Windows, threads: int = 0):
        if windows not in WINDOWS:
            raise UsageError(f"windows is {windows!r}", expected=" or ".join(WINDOWS))
        self.work, self.windows, self.threads = work, windows, threads
        self.needs = Needs(method.needs.audio, method.needs.frames)
        self._modalities: tuple[Modality, ...] = tuple(column.modality for column in work.columns)
        self._embedder = Embedder(method, precision=precision, modalities=self._modalities)

    def __call__(self, parts: Iterable[tuple[np.ndarray, pa.Table]]) -> Iterator[pa.Table]:
        """Rows of vectors for each part, in order.

        Args:
            parts: places of some clips in the table, int64 `[B]`, and their columns (`columns_read`).

        Raises:
            DataError: if the network gives anything but numbers.
        """
        waiting: deque[_Prepared] = deque()

        def batches() -> Iterator[Batch]:
            for prepared in ahead(self._prepare, parts, self.threads, self.threads + 1):
                waiting.append(prepared)
                yield prepared.batch

        for _, found in self._embedder(batches()):
            yield self._finished(waiting.popleft(), found)

    def _prepare(self, part: tuple[np.ndarray, pa.Table]) -> _Prepared:
        rows, table = part
        owners: list[int] = []
        clips: list[Clip] = []
        skips: dict[int, MediaError] = {}
        for row, stored in zip(rows.tolist(), _rows(table), strict=True):
            try:
                read = [self._read(stored, start) for start in self._starts(stored)]
            except MediaError as error:
                skips[row] = error
                continue
            owners += [row] * len(read)
            clips += read
        numbers = torch.from_numpy(np.array(owners, dtype=np.int64))
        return _Prepared(rows, numbers.numpy(), Batch(numbers, numbers, tensors(clips, self.needs)), skips)

    def _starts(self, stored: dict[str, Any]) -> list[float]:
        """Where the windows of a clip begin."""
        audio = self.needs.audio
        if self.windows == "first" or audio is None or stored["audio_codec"].as_py() is None:
            return [0.0]
        return [
            span.start_seconds for span in covering(stored["duration_seconds"].as_py(), audio.seconds, audio.seconds)
        ]

    def _read(self, stored: dict[str, Any], start: float) -> Clip:
        listens, seen = self.needs.audio is not None, self.needs.frames is not None
        times = np.array((stored["frame_seconds"].as_py() or []) if seen else [], dtype=np.float64)
        codec = stored["audio_codec"].as_py() if listens else None
        audio = stored["audio"] if codec is not None and stored["audio"].is_valid else None
        frames = stored["frames"] if seen and len(times) and stored["frames"].is_valid else None
        pictures, _, sound = decode_row(audio, codec, frames, times, self.needs, _At(start) if start else FIXED)
        heard = sound is not None and bool(sound.any())
        return Clip(stored["id"].as_py(), frames=pictures, audio=sound if heard else None)

    def _finished(self, prepared: _Prepared, found: dict[Modality, Vectors]) -> pa.Table:
        columns: dict[str, Any] = {"row": pa.array(prepared.rows, pa.int64())}
        for column in self.work.columns:
            vectors = found.get(column.modality)
            columns[column.modality] = _column(prepared, vectors, column.width)
        for name, text in (("reason", lambda e: e.reason.value), ("detail", lambda e: e.detail)):
            errors = (prepared.skips.get(row) for row in prepared.rows.tolist())
            columns[name] = pa.array([None if error is None else text(error) for error in errors], pa.string())
        return pa.table(columns, schema=self.work.schema)


class _At(FixedChoice):
    """The window that begins at a given second."""

    def __init__(self, second: float):
        self.second = second

    def start(self, available_seconds: float, wanted_seconds: float) -> float:
        """That second, or the end of the sound."""
        return min(self.second, available_seconds)


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Rows as Arrow values, without copying what they hold."""
    columns = {name: table[name].combine_chunks() for name in table.column_names}
    for place in range(len(table)):
        yield {name: column[place] for name, column in columns.items()}


def _column(prepared: _Prepared, vectors: Vectors | None, width: int) -> pa.Array:
    """One modality of some rows, `[B, D]`: the normalised mean of the windows that have it, else null."""
    values = np.zeros((len(prepared.rows), width), np.float64)
    counts = np.zeros(len(prepared.rows), np.int64)
    if vectors is not None:
        present = vectors.present.numpy()
        place_of = {row: place for place, row in enumerate(prepared.rows.tolist())}
        places = [place_of[row] for row in prepared.owners[present].tolist()]
        np.add.at(values, places, vectors.embedding[vectors.present].numpy())
        np.add.at(counts, places, 1)
    if not np.isfinite(values).all():
        raise DataError(
            "the network gives NaN or infinite vectors",
            cause="weights that diverged in training, or a precision that does not suit them",
            cure="--precision fp32, or another checkpoint",
        )
    several = counts > 1
    values[several] /= np.linalg.norm(values[several], axis=1, keepdims=True)
    flat = pa.array(values.astype(np.float32).reshape(-1), pa.float32())
    return pa.FixedSizeListArray.from_arrays(flat, width, mask=pa.array(counts == 0))
