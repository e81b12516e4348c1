"""Clips in a folder of media, read without packing: files are probed when the folder is opened, and decoded when read.

Frames are on offer at the same times, and of the same size, as `pack` would store them.
Legend: T frames, S samples.
"""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seehear.clips.choice import FrameChoice
from seehear.clips.convert import read_piece
from seehear.clips.index import ClipIndex, LabelCodes
from seehear.clips.listing import list_folder
from seehear.clips.pack_state import Skip
from seehear.clips.pieces import Cutting, Piece
from seehear.clips.source import Collection
from seehear.clips.survey import Surveyed, survey
from seehear.clips.window import Wanted, wanted
from seehear.contracts import Needs
from seehear.errors import DataError, MediaError
from seehear.media import Limits, Pool

_RECYCLE_AFTER = 5000  # clips that one decoding process serves: to start another takes as long as 30 of them


class FolderClips(Collection):
    """The clips of a folder of media.

    Args:
        folder: the folder, or one media file.
        manifest: CSV, JSONL or Parquet; by default `manifest.*` in the folder or in its immediate subfolders.
        cutting: how files become clips; by default as `pack`, keeping clips of one modality too.
        size: shorter side of the frames in pixels (more if a method needs more).
        workers: decoding processes; None for one per core.
        limits: on decoding; by default those for one's own media.

    Attributes:
        listing: what the folder holds.
        skipped: files and clips that cannot be used, and why, with those that the manifest names in vain.

    Raises:
        DataError: if there is no folder, no media in it, or none that can be used.
        StorageError: if the folder cannot be read.
    """

    def __init__(
        self,
        folder: str | Path,
        manifest: str | Path | None = None,
        *,
        cutting: Cutting | None = None,
        size: int = 224,
        workers: int | None = None,
        limits: Limits | None = None,
    ):
        self.listing = list_folder(folder, manifest)
        self.size = size
        self._cutting = cutting or Cutting(modality="any")
        self._limits = limits or Limits()
        self._pool = Pool(workers, limits=self._limits, recycle_after=_RECYCLE_AFTER)
        found = list(survey(self.listing.entries, self._cutting, self._pool, self._limits))
        self.skipped = self.listing.missing + [item.skip for item in found if item.skip is not None]
        self._pieces = [item.piece for item in found if item.piece is not None]
        if not self._pieces:
            self.close()
            raise nothing_usable(str(folder), self.skipped)
        kept = [item for item in found if item.piece is not None]
        super().__init__(_index(kept, self._pieces), max(len(piece.frame_times) for piece in self._pieces))
        self._entries = [item.entry for item in kept]

    def close(self) -> None:
        """Stop the decoding processes."""
        self._pool.shutdown()

    @property
    def counts(self) -> dict[str, int]:
        """Number of files and clips that cannot be used, by reason."""
        return dict(Counter(skip.reason for skip in self.skipped))

    def _decode(self, rows: np.ndarray, needs: Needs, choices: Sequence[FrameChoice]) -> list[Any]:
        futures = [
            self._submit(self._entries[row].path, self._pieces[row], needs, c)
            for row, c in zip(rows, choices, strict=True)
        ]
        return [_result(future) for future in futures]

    def _submit(self, path: str, piece: Piece, needs: Needs, choice: FrameChoice) -> Any:
        times = np.array(piece.frame_times) - piece.span.start_seconds
        take = wanted(needs, choice, piece.audio_seconds, times)
        if take.places is None and take.seconds is None:
            return None
        chosen = () if take.places is None else tuple(piece.frame_times[place] for place in take.places)
        side = max(self.size, min(needs.frames.height, needs.frames.width)) if needs.frames is not None else self.size
        sound = _sound_seconds(piece, take)
        return self._pool.submit(read_piece, path, piece, chosen, side, take.start_seconds, sound, limits=self._limits)

    def _truth(self, row: int) -> dict[str, Any]:
        return self._entries[row].truth

    def _content(self) -> Any:
        sizes = {entry.name: os.path.getsize(entry.path) for entry in self._entries}
        return {"files": sizes, "cutting": self._cutting.facts, "size": self.size}


def _sound_seconds(piece: Piece, take: Wanted) -> float | None:
    """Length of the sound to read: no more than there is."""
    if take.seconds is None or piece.audio_seconds is None:
        return None
    return min(take.seconds, piece.audio_seconds - take.start_seconds)


def _result(future: Any) -> Any:
    if future is None:
        return None, None, None
    try:
        return future.result()
    except MediaError as error:
        return error


def _index(kept: list[Surveyed], pieces: list[Piece]) -> ClipIndex:
    entries = [item.entry for item in kept]
    return ClipIndex.build(
        names=[piece.name for piece in pieces],
        sources=[entry.name for entry in entries],
        start_seconds=np.array([piece.span.start_seconds for piece in pieces]),
        duration_seconds=np.array([piece.span.duration_seconds for piece in pieces]),
        splits=[entry.split for entry in entries],
        labels=LabelCodes.of(entry.labels for entry in entries),
        captions=[entry.caption for entry in entries],
        has_audio=np.array([piece.audio_seconds is not None for piece in pieces]),
        has_image=np.array([bool(piece.frame_times) for piece in pieces]),
    )


def nothing_usable(where: str, skipped: list[Skip]) -> DataError:
    """The error for a folder without a single usable clip."""
    counts = Counter(skip.reason for skip in skipped)
    reasons = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
    first = f"; the first: {skipped[0].file}: {skipped[0].detail}" if skipped else ""
    return DataError(
        f"no clip of {where} can be used ({reasons or 'no files'}{first})",
        expected="at least one",
        cure="run `seehear doctor` on the folder, or ask for another --modality (audio, image or any)",
    )
