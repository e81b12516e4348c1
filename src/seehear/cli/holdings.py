"""What a folder of media, or a table of clips, holds. Facts for `seehear doctor`.

Files are probed in the pool of disposable processes and judged by the rules of `seehear pack`.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from seehear import clips
from seehear.clips import Cutting, Listing, Skip
from seehear.clips.manifest import Entry
from seehear.clips.pieces import MODALITIES, check_piece
from seehear.clips.subset_hash import subset_hash
from seehear.clips.survey import skip_of
from seehear.errors import MediaError
from seehear.media import MediaInfo, Pool, probe


@dataclass
class FileFacts:
    """One file: its facts (None where it cannot be probed), the clips it gives, and what is skipped of it."""

    entry: Entry
    info: MediaInfo | None
    clips: int = 0
    skips: list[Skip] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """For machines."""
        return {"file": self.entry.name, "info": self.info, "clips": self.clips, "skips": self.skips}


def folder_facts(
    listing: Listing, cutting: Cutting, workers: int | None, progress: Callable[[int, int], None]
) -> list[FileFacts]:
    """Every file of a listing, in its order, each probed once."""
    entries = listing.entries
    paths = list(dict.fromkeys(entry.path for entry in entries))
    known: dict[str, MediaInfo | MediaError] = {}
    with Pool(workers) as pool:
        for path, info in zip(paths, pool.map(probe, paths), strict=True):
            known[path] = info
            progress(len(known), len(paths))
    return [_facts(entry, known[entry.path], cutting) for entry in entries]


def _facts(entry: Entry, info: MediaInfo | MediaError, cutting: Cutting) -> FileFacts:
    if isinstance(info, MediaError):
        return FileFacts(entry, None, skips=[skip_of(entry.name, info)])
    facts = FileFacts(entry, info)
    try:
        pieces = clips.pieces_of(entry, info, cutting)
    except MediaError as error:
        facts.skips.append(skip_of(entry.name, error))
        return facts
    for piece in pieces:
        try:
            check_piece(piece, cutting.modality)
            facts.clips += 1
        except MediaError as error:
            facts.skips.append(skip_of(piece.name, error))
    return facts


def clips_by_modality(files: list[FileFacts], cutting: Cutting) -> dict[str, int]:
    """Clips that `pack` would make for each choice of modality."""
    counts = dict.fromkeys(MODALITIES, 0)
    for modality in MODALITIES:
        asked = replace(cutting, modality=modality)
        counts[modality] = sum(_facts(item.entry, item.info, asked).clips for item in files if item.info is not None)
    return counts


def summary(files: list[FileFacts], listing: Listing, cutting: Cutting) -> dict[str, Any]:
    """Counts and durations over all files, and what `pack` would make of them."""
    infos = [facts.info for facts in files if facts.info is not None]
    skips = [skip for facts in files for skip in facts.skips] + listing.missing
    lengths = [info.duration_seconds for info in infos]
    return {
        "files": len(files),
        "readable": len(infos),
        "tracks": dict(Counter(tracks_of(info) for info in infos)),
        "total_seconds": sum(lengths),
        "shortest_seconds": min(lengths, default=None),
        "longest_seconds": max(lengths, default=None),
        "modality": cutting.modality,
        "clips": sum(facts.clips for facts in files),
        "clips_by_modality": clips_by_modality(files, cutting),
        "skipped": dict(Counter(skip.reason for skip in skips)),
        "skips": skips,
        "left_aside": listing.ignored,
    }


def tracks_of(info: MediaInfo) -> str:
    """Which tracks a file has, in words: "video with sound", "still picture without sound", "sound only"."""
    if info.kind == "audio":
        return "sound only"
    name = "video" if info.kind == "video" else "still picture"
    return f"{name} {'without' if info.audio is None else 'with'} sound"


def table_facts(path: str) -> dict[str, Any]:
    """What a table of clips holds.

    Raises:
        StorageError: if it is damaged, unfinished or of another format.
    """
    table: Any = clips.open(path)
    return {
        "table": str(path),
        "clips": len(table),
        "splits": dict(Counter(table.splits)),
        "classes": list(table.label_names),
        "with_audio": int(table.has_audio.sum()),
        "with_image": int(table.has_image.sum()),
        "total_seconds": float(table.duration_seconds.sum()),
        "most_frames": table.most_frames,
        "fingerprint": table.fingerprint,
        "subset_hash": subset_hash(table.names),
    }
