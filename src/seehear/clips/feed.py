"""Where packing takes its rows from, in a fixed order that does not depend on the number of workers.

A folder's clips are decoded and coded in the pool of decoding processes, those of a collection in threads.
"""

import hashlib
import itertools
import os
from collections.abc import Generator, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from seehear.clips.clip import Clip, ClipSource
from seehear.clips.convert import Stored, Storing, coded, convert
from seehear.clips.fit import shorter_side
from seehear.clips.listing import Listing
from seehear.clips.manifest import Entry, printable
from seehear.clips.pack_state import Skip
from seehear.clips.pieces import Cutting
from seehear.clips.prefetch import ahead
from seehear.clips.schema import Row, truth_text
from seehear.clips.survey import Surveyed, skip_of, survey, windowed
from seehear.contracts import AudioNeed, FrameNeed, Needs
from seehear.errors import DataError, MediaError, SkipReason, UsageError
from seehear.media import Limits, Pool, encode_jpeg

_WHOLE_SECONDS = 1e9  # longer than any clip
_CHUNK = 32  # clips of a collection read at once


@dataclass(frozen=True)
class Packed:
    """One clip ready for the table, or why there is none: clip number `clip` of file number `file`."""

    file: int
    clip: int
    name: str
    row: Row | None
    skip: Skip | None


class Feed(Protocol):
    """Rows to pack.

    Attributes:
        settings: all that decides what the rows are.
        place: what is packed, for messages.
        files: number of files.
        blobs: which blob columns the rows have.
        missing: files that a manifest names in vain.
        ignored: files left aside, by suffix.
    """

    settings: dict[str, Any]
    place: str
    files: int
    blobs: tuple[str, ...]
    missing: list[Skip]
    ignored: dict[str, int]

    def rows(self, file: int, clip: int) -> Generator[Packed, None, None]:
        """All rows from clip number `clip` of file number `file` on."""
        ...


class FolderFeed:
    """Rows of a folder of media; see `Feed`.

    Raises:
        DataError: if two entries of its manifest would have the same id.
    """

    def __init__(
        self, listing: Listing, cutting: Cutting, storing: Storing, workers: int | None, limits: Limits | None
    ):
        self._entries, self._cutting, self._storing = listing.entries, cutting, storing
        self._workers, self._limits = workers, limits or Limits()
        self.place = str(listing.folder)
        self.files, self.missing, self.ignored = len(listing.entries), listing.missing, listing.ignored
        self.settings = cutting.facts | asdict(storing) | {"files": _identity(listing.entries)}
        arrays = any(entry.truth_arrays for entry in listing.entries)
        self.blobs = ("video",) * storing.keep_video + ("truth_arrays",) * arrays
        _refuse_repeats(listing.entries)

    def rows(self, file: int, clip: int) -> Generator[Packed, None, None]:
        """All rows from clip number `clip` of file number `file` on."""
        with Pool(self._workers, limits=self._limits) as pool:
            found = survey(self._entries, self._cutting, pool, self._limits, file)
            left = (item for item in found if (item.file, item.clip) >= (file, clip))

            def submit(item: Surveyed) -> Future | None:
                if item.piece is None:
                    return None
                return pool.submit(convert, item.entry.path, item.piece, self._storing, self._limits)

            for item, stored in windowed(submit, left, 3 * pool.workers):
                yield self._packed(item, stored)

    def _packed(self, item: Surveyed, stored: Stored | MediaError | None) -> Packed:
        entry, piece = item.entry, item.piece
        if piece is None or stored is None:
            return Packed(item.file, item.clip, entry.name, None, item.skip)
        try:
            if isinstance(stored, MediaError):
                raise stored
            arrays = _arrays(entry)
        except MediaError as error:
            return Packed(item.file, item.clip, entry.name, None, skip_of(piece.name, error))
        row = Row(
            id=piece.name,
            source=entry.name,
            start_seconds=piece.span.start_seconds,
            duration_seconds=piece.span.duration_seconds,
            split=entry.split,
            labels=list(entry.labels),
            caption=entry.caption,
            frames=stored.frames,
            frame_seconds=stored.frame_seconds,
            audio=stored.audio,
            audio_codec=None if stored.audio is None else self._storing.audio_codec,
            truth=truth_text(entry.truth),
            video=stored.video,
            truth_arrays=arrays,
        )
        return Packed(item.file, item.clip, entry.name, row, None)


def _arrays(entry: Entry) -> bytes | None:
    if not entry.truth_arrays:
        return None
    try:
        return Path(entry.truth_arrays).read_bytes()
    except OSError as error:
        found = f"truth_arrays {entry.truth_arrays}: {error.strerror}"
        raise MediaError(SkipReason.UNREADABLE, found, path=entry.path) from error


def _identity(entries: list[Entry]) -> str:
    """A hash of the files' names and sizes and of what the manifest says of them, but not of where they are."""

    digest = hashlib.blake2b(digest_size=8)
    for entry in entries:
        facts = asdict(entry) | {"path": _size(entry.path), "truth_arrays": os.path.basename(entry.truth_arrays)}
        digest.update(truth_text(facts).encode("utf-8", "surrogateescape"))
    return f"{len(entries)} files, {digest.hexdigest()}"


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return -1


def _refuse_repeats(entries: list[Entry]) -> None:
    seen: set[tuple] = set()
    for entry in entries:
        key = (entry.id,) if entry.id else (entry.name, entry.start_seconds or 0.0)
        if key in seen:
            raise DataError(
                f"clip id {key[0]!r} occurs twice in the manifest",
                expected="every clip to have an id of its own",
                cure="give the manifest a column 'id', or correct it",
            )
        seen.add(key)


class SourceFeed:
    """Rows of a collection of clips, each of them counted as a file; see `Feed`.

    Clips stay as they are cut; of each at most `cutting.frames` frames are taken.

    Raises:
        UsageError: if moving pictures are to be kept.
    """

    def __init__(self, source: ClipSource, cutting: Cutting, storing: Storing):
        self._source, self._cutting, self._storing = source, cutting, storing
        if storing.keep_video:
            raise UsageError("a collection of clips has no video files to keep", cure="pack the folder instead")
        self.place, self.files = "the collection", len(source)
        self.missing: list[Skip] = []
        self.ignored: dict[str, int] = {}
        self.blobs: tuple[str, ...] = ()
        self.settings = cutting.facts | asdict(storing) | {"files": f"{len(source)} clips, {source.fingerprint}"}
        count, size = min(cutting.frames, max(1, source.most_frames)), storing.size
        self._needs = Needs(
            audio=None if cutting.modality == "image" else AudioNeed(_WHOLE_SECONDS),
            frames=None if cutting.modality == "audio" else FrameNeed(count, size, size),
        )

    def rows(self, file: int, clip: int) -> Generator[Packed, None, None]:
        """All rows from clip number `file` of the collection on, if its `clip` is 0; else from the one after."""
        first = file + (clip > 0)
        chunks = (np.arange(start, min(start + _CHUNK, self.files)) for start in itertools.count(first, _CHUNK))
        bounded = itertools.takewhile(len, chunks)
        with closing(ahead(self._packed, bounded, 1, 2)) as packed:
            for chunk in packed:
                yield from chunk

    def _packed(self, indices: np.ndarray) -> list[Packed]:
        return list(self._each(indices))

    def _each(self, indices: np.ndarray) -> Iterator[Packed]:
        for index, clip in zip(indices.tolist(), self._source.read_many(indices, self._needs), strict=True):
            name = self._source.names[index]
            try:
                if isinstance(clip, MediaError):
                    raise clip
                _refuse_lacking(clip, self._cutting.modality)
                clip.truth = self._source.truth(index)
                yield Packed(index, 0, name, _row(clip, self._storing), None)
            except MediaError as error:
                yield Packed(index, 0, name, None, skip_of(name, error))


def _refuse_lacking(clip: Clip, modality: str) -> None:
    if clip.audio is None and modality in ("audiovisual", "audio"):
        raise MediaError(SkipReason.NO_AUDIO, "a clip without sound")
    if clip.frames is None and modality in ("audiovisual", "image"):
        raise MediaError(SkipReason.NO_VIDEO, "a clip without pictures")


def _row(clip: Clip, storing: Storing) -> Row:
    frames, seconds = [], []
    if clip.frames is not None and clip.frame_seconds is not None:
        times, places = np.unique(clip.frame_seconds, return_index=True)
        pixels = shorter_side(clip.frames[places], storing.size)
        frames = [encode_jpeg(picture, storing.jpeg_quality) for picture in pixels]
        seconds = [float(time) for time in times]
    return Row(
        id=printable(clip.id),
        source=clip.source,
        start_seconds=clip.start_seconds,
        duration_seconds=clip.duration_seconds,
        split=clip.split,
        labels=list(clip.labels),
        caption=clip.caption,
        frames=frames,
        frame_seconds=seconds,
        audio=None if clip.audio is None else coded(clip.audio, storing.audio_codec),
        audio_codec=None if clip.audio is None else storing.audio_codec,
        truth=truth_text(clip.truth),
    )
