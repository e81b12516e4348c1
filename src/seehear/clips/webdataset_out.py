"""A clip table as WebDataset shards, for loaders that stream tars; see `webdataset_names` for what lies in them.

All shards are written beside the folder and take its name together, when the last is whole: there is never half an
export. Equal tables give equal bytes.
"""

import io
import json
import os
import shutil
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seehear.clips.lance_files import open_dataset, storage_failures, text_of
from seehear.clips.pack_state import Skip
from seehear.clips.schema import BLOBS, check_schema
from seehear.clips.survey import skip_of
from seehear.clips.webdataset_names import MARK, MARK_VERSION, ROW, SHARD, frame_names, key_of
from seehear.errors import MediaError, SkipReason, StorageError, UsageError
from seehear.media.limits import MEBIBYTE

SHARD_BYTES = 1024 * MEBIBYTE
_CHUNK = 32  # rows held at once
_SUFFIXES = {"mp4": "mp4", "matroska": "mkv", "avi": "avi", "mpeg": "mpg", "mpegts": "ts", "flv": "flv", "asf": "wmv"}
Members = list[tuple[str, bytes]]


@dataclass(frozen=True)
class WebDatasetReport:
    """The result of an export.

    Attributes:
        folder: where the shards are.
        shards: number of tars, called 000000.tar and so on.
        clips: clips in them.
        bytes: size of all.
        skips: clips of the table that are damaged, and why.
    """

    folder: str
    shards: int
    clips: int
    bytes: int
    skips: tuple[Skip, ...] = ()

    @property
    def skipped(self) -> dict[str, int]:
        """Number of clips left out, by reason."""
        return dict(Counter(skip.reason for skip in self.skips))


def export_webdataset(
    table: str | Path,
    folder: str | Path,
    *,
    shard_bytes: int = SHARD_BYTES,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
    storage_options: dict[str, str] | None = None,
) -> WebDatasetReport:
    """Write a clip table as WebDataset shards.

    Args:
        table: path or object-store URI of a finished table.
        folder: where the shards are to be.
        shard_bytes: a shard is closed before it would grow beyond that; a larger clip has one for itself.
        overwrite: put them in place of the shards of an earlier export.
        progress: is told (clips done, clips in all).
        storage_options: settings of the object store, passed on to Lance.

    Raises:
        UsageError: if the folder holds something already, or `shard_bytes` is not positive.
        StorageError: if the table cannot be read or the disk does not take the shards; nothing is left behind then.
    """
    from seehear.clips.table import TableClips

    folder = Path(folder)
    if shard_bytes < 1:
        raise UsageError(f"shards of {shard_bytes} bytes", expected="at least 1")
    _refuse_others(folder, overwrite)
    total = len(TableClips(table, storage_options=storage_options))
    dataset = open_dataset(table, storage_options=storage_options)
    if dataset is None:
        raise StorageError(f"there is no table at {text_of(table)}")
    check_schema(dataset.schema, text_of(table))
    temporary = folder.with_name(f".{folder.name}.exporting")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        report = _write(_rows(dataset, text_of(table)), temporary, folder, shard_bytes, total, progress)
        if folder.exists():
            shutil.rmtree(folder)
        temporary.rename(folder)
    except OSError as error:
        raise StorageError(
            f"{folder}: could not be written ({error.strerror or error})",
            cause="a full disk or no permission",
            cure=f"df -h {folder.parent}",
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return report


def _refuse_others(folder: Path, overwrite: bool) -> None:
    if not folder.exists() and not folder.is_symlink():
        return
    names = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else None
    if names == []:
        return
    if names is None or names != [SHARD.format(number) for number in range(len(names))]:
        raise UsageError(f"{folder} exists and holds other things than shards", cure="name a new folder")
    if not overwrite:
        raise UsageError(f"{folder} holds {len(names)} shards", expected="a new folder", cure="another, or --overwrite")


def _write(
    rows: Iterator[tuple[dict[str, Any], dict[str, bytes | None]]],
    temporary: Path,
    folder: Path,
    shard_bytes: int,
    total: int,
    progress: Callable[[int, int], None] | None,
) -> WebDatasetReport:
    skips: list[Skip] = []
    written = 0
    with _Shards(temporary, shard_bytes) as shards:
        for done, (row, blobs) in enumerate(rows, 1):
            try:
                shards.add(key_of(row["id"]), members_of(row, blobs))
                written += 1
            except MediaError as error:
                skips.append(skip_of(row["id"], error))
            if progress is not None:
                progress(done, total)
    return WebDatasetReport(str(folder), shards.count, written, shards.bytes, tuple(skips))


class _Shards:
    """Tars that are filled one after the other."""

    def __init__(self, folder: Path, most: int):
        self.folder, self.most = folder, most
        self.count = self.bytes = 0
        self._tar: tarfile.TarFile | None = None

    def __enter__(self) -> "_Shards":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, key: str, members: Members) -> None:
        """All members of one clip, in one shard."""
        size = sum(2048 + len(data) for _, data in members)  # about, with the headers
        if self._tar is not None and self._tar.offset + size > self.most:
            self.close()
        if self._tar is None:
            self._tar = tarfile.TarFile(self.folder / SHARD.format(self.count), "x", format=tarfile.PAX_FORMAT)
            self.count += 1
        for extension, data in members:
            self._tar.addfile(_header(f"{key}.{extension}", len(data)), io.BytesIO(data))

    def close(self) -> None:
        """End the shard that is being filled."""
        if self._tar is not None:
            self._tar.close()
            self.bytes += os.path.getsize(self._tar.name)  # type: ignore[arg-type]
            self._tar = None


def _header(name: str, size: int) -> tarfile.TarInfo:
    """Without clock and owner, so that equal clips give equal bytes."""
    header = tarfile.TarInfo(name)
    header.size, header.mode = size, 0o644
    return header


# ------------------------------------------------------------------------------------------------- a row as members
def _rows(dataset: Any, uri: str) -> Iterator[tuple[dict[str, Any], dict[str, bytes | None]]]:
    """Every row with its blobs, in the table's order."""
    columns = [*ROW, "frames", "audio", "audio_codec", "truth"]
    blobs = [name for name in BLOBS if name in dataset.schema.names]
    total = dataset.count_rows()
    for start in range(0, total, _CHUNK):
        places = list(range(start, min(start + _CHUNK, total)))
        with storage_failures(uri):
            rows = dataset.take(places, columns=columns).to_pylist()
            kept = {name: dataset.take_blobs(name, indices=places) for name in blobs}
        for number, row in enumerate(rows):
            yield row, {name: _read(kept[name][number], uri) for name in blobs}


def _read(blob: Any, uri: str) -> bytes | None:
    if blob is None:
        return None
    with storage_failures(uri), blob as file:
        return file.readall()


def members_of(row: dict[str, Any], blobs: Mapping[str, bytes | None]) -> Members:
    """Extension and bytes of each member of a clip.

    Args:
        row: the columns of `webdataset_names.ROW`, with frames, audio, audio_codec and truth.
        blobs: `video` and `truth_arrays`, if the table has such columns; None where the row has none.

    Raises:
        MediaError: if the row is damaged.
    """
    frames = row["frames"] or []
    if len(frames) != len(row["frame_seconds"] or []):
        raise MediaError(SkipReason.TRUNCATED, f"{len(frames)} frames, {len(row['frame_seconds'] or [])} times")
    facts = {MARK: MARK_VERSION, "blobs": list(blobs)} | {name: row[name] for name in ROW}
    facts["truth"] = json.loads(row["truth"] or "{}")
    members = [("json", json.dumps(facts, ensure_ascii=False, sort_keys=True).encode())]
    members += list(zip(frame_names(len(frames)), frames, strict=True))
    if row["audio_codec"] is not None:
        members.append(_sound(row["audio"], row["audio_codec"]))
    if (video := blobs.get("video")) is not None:
        members.append((_video_suffix(video), video))
    if (arrays := blobs.get("truth_arrays")) is not None:
        members.append(("npz", arrays))
    return members


def _sound(data: bytes | None, codec: str) -> tuple[str, bytes]:
    import numpy as np

    from seehear.media import encode_wav

    if not data or (codec != "flac" and len(data) % 2):
        raise MediaError(SkipReason.TRUNCATED, f"{len(data or b'')} bytes of sound")
    return ("flac", data) if codec == "flac" else ("wav", encode_wav(np.frombuffer(data, dtype="<i2")))


def _video_suffix(data: bytes) -> str:
    from seehear.media.sources import sniff

    return _SUFFIXES.get(sniff(io.BytesIO(data), ""), "mp4")
