"""The clip table: its columns, its format version, and rows in memory.

One row is one clip. `frames` are JPEG with the shorter side at the size that packing asked for; `audio` is 16 kHz mono,
as little-endian 16-bit PCM or FLAC (`audio_codec`, null without sound); `truth` is JSON; `video` and `truth_arrays` are
blobs, read only when asked for, and absent where packing did not bring them.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from seehear.errors import StorageError

FORMAT_KEY = "seehear.format"
FORMAT = "1"
BLOBS = ("video", "truth_arrays")
_BLOB = {"lance-encoding:blob": "true"}
_AS_IT_IS = {"lance-encoding:compression": "none"}  # PCM hardly shrinks, and unpacking it took half of a read


@dataclass
class Row:
    """One clip as it is stored; see the columns above."""

    id: str
    source: str
    start_seconds: float
    duration_seconds: float
    split: str = ""
    labels: list[str] = field(default_factory=list)
    caption: str = ""
    frames: list[bytes] = field(default_factory=list)
    frame_seconds: list[float] = field(default_factory=list)
    audio: bytes | None = None
    audio_codec: str | None = None
    truth: str = "{}"
    video: bytes | None = None
    truth_arrays: bytes | None = None

    @property
    def stored_bytes(self) -> int:
        """About how much memory the row takes."""
        blobs = sum(len(b) for b in (self.audio, self.video, self.truth_arrays) if b is not None)
        return sum(map(len, self.frames)) + blobs + len(self.truth) + 256

    def digest(self) -> bytes:
        """A hash of all that the row holds."""
        digest = hashlib.blake2b(digest_size=16)
        light = [self.id, self.source, self.start_seconds, self.duration_seconds, self.split, self.labels]
        light += [self.caption, self.frame_seconds, self.audio_codec, self.truth]
        digest.update(json.dumps(light).encode())
        for blob in [*self.frames, self.audio, self.video, self.truth_arrays]:
            digest.update(b"-" if blob is None else len(blob).to_bytes(8, "little") + blob)
        return digest.digest()


def schema(blobs: Sequence[str] = ()) -> pa.Schema:
    """The columns, with those of `BLOBS` that are asked for."""
    fields = [
        pa.field("id", pa.string(), nullable=False),
        pa.field("source", pa.string()),
        pa.field("start_seconds", pa.float64()),
        pa.field("duration_seconds", pa.float64()),
        pa.field("split", pa.string()),
        pa.field("labels", pa.list_(pa.string())),
        pa.field("caption", pa.string()),
        pa.field("frames", pa.list_(pa.binary())),
        pa.field("frame_seconds", pa.list_(pa.float64())),
        pa.field("audio", pa.large_binary(), metadata=_AS_IT_IS),
        pa.field("audio_codec", pa.string()),
        pa.field("truth", pa.string()),
    ]
    fields += [pa.field(name, pa.large_binary(), metadata=_BLOB) for name in BLOBS if name in blobs]
    return pa.schema(fields, metadata={FORMAT_KEY: FORMAT})


def to_table(rows: Sequence[Row], columns: pa.Schema) -> pa.Table:
    """Rows as an Arrow table."""
    arrays = [pa.array([getattr(row, f.name) for row in rows], type=f.type) for f in columns]
    return pa.Table.from_arrays(arrays, schema=columns)


def check_schema(found: pa.Schema, where: str) -> None:
    """Refuse what is not a clip table of this format.

    Raises:
        StorageError: naming the field that differs and what to do.
    """
    version = (found.metadata or {}).get(FORMAT_KEY.encode(), b"").decode()
    if not version:
        raise StorageError(
            f"{where}: the schema has no {FORMAT_KEY!r}",
            expected="a clip table",
            cause="a Lance table that was not made by `seehear pack`",
            cure="run `seehear pack FOLDER TABLE`",
        )
    if version != FORMAT:
        raise StorageError(
            f"{where}: {FORMAT_KEY} is {version!r}",
            expected=f"{FORMAT!r}",
            cause="a table from another version of SeeHear",
            cure="pack it again with this version, or read it with the one that made it",
        )
    for wanted in schema():
        if wanted.name not in found.names:
            raise StorageError(f"{where}: the column {wanted.name!r} is missing", cure="pack the table again")


def truth_text(truth: dict[str, Any]) -> str:
    """The truth of a clip as JSON text, equal wherever the values are."""
    return json.dumps(truth, sort_keys=True, default=_plain)


def _plain(value: Any) -> Any:
    """Arrays and NumPy numbers as lists and numbers; dates and the like as text."""
    return value.tolist() if hasattr(value, "tolist") else str(value)
