"""From a published list and a folder of media to the clips that are there, and the report of those that are not."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seehear.clips.manifest import Entry
from seehear.clips.published.checking import Health
from seehear.clips.published.gallery import retrieval_subset, short_classes
from seehear.clips.published.holdings import Holdings, Told, look
from seehear.clips.published.id_list import read_ids, select
from seehear.clips.published.listed import ListedClip, PublishedList
from seehear.clips.published.report import DatasetReport, Repeat
from seehear.clips.published.same_content import same_content
from seehear.clips.published.wishes import Wishes
from seehear.clips.subset_hash import subset_hash
from seehear.errors import DataError, StorageError, UsageError


@dataclass(frozen=True)
class Assembled:
    """The clips that can be used, in the list's order, and the report."""

    entries: tuple[Entry, ...]
    report: DatasetReport


@dataclass(frozen=True)
class _Asked:
    """What of a list is looked for: its `rows`, the `clips` among them, repeats, and what a subset names in vain."""

    rows: int
    clips: list[ListedClip]
    repeated: list[Repeat]
    unlisted: list[str]


def assemble(
    listed: PublishedList, media: str | Path, wishes: Wishes | None = None, progress: Told | None = None
) -> Assembled:
    """Look a list's clips up in a folder, and say what is there.

    Args:
        listed: the list.
        media: the folder.
        wishes: what is to be made of it; by default all clips that are found.
        progress: is told what is done, how many files are done, and of how many.

    Raises:
        UsageError: on a split that the list does not have.
        DataError: if there is no such folder, no media in it, or none of the clips; if a given subset is malformed.
        StorageError: if a file cannot be read.
    """
    wishes, media = wishes or Wishes(), Path(media)
    asked = _asked(listed, wishes)
    held, health = look(listed, asked.clips, media, wishes, progress or _untold)
    silent = {name: found.peak_db for name, found in health.items() if found.silent(wishes.silence_db)}
    kept = [entry for entry in held.entries if not (wishes.leave_out_silent and entry.id in silent)]
    short: dict[str, int] = {}
    if wishes.per_class is not None:
        chosen = retrieval_subset({entry.id: entry.labels for entry in kept}, wishes.per_class, wishes.seed)
        short = short_classes(chosen, listed.classes.names, wishes.per_class)
        kept = [entry for entry in kept if entry.id in chosen]
    report = _report(listed, media, wishes, asked, held, health, silent, kept, short)
    return Assembled(tuple(kept), report)


def _untold(what: str, done: int, total: int) -> None:
    """Nobody wants to know how far the work is."""


def _asked(listed: PublishedList, wishes: Wishes) -> _Asked:
    rows = _of_split(listed, wishes.split)
    clips, repeated = _distinct(rows)
    unlisted: list[str] = []
    if wishes.subset is not None:
        clips, unlisted = select(clips, read_ids(wishes.subset))
    if not clips:
        raise DataError(f"{listed.path} lists none of the clips of {wishes.subset}", cause="the subset of another list")
    return _Asked(len(rows), clips, repeated, unlisted)


def _of_split(listed: PublishedList, split: str) -> list[ListedClip]:
    named = {clip.split for clip in listed.clips} - {""}
    if named and split and split not in named:
        raise UsageError(f"{listed.path} has no split {split!r}", expected=" or ".join(sorted(named)))
    return [clip for clip in listed.clips if not (named and split) or clip.split == split]


def _distinct(rows: Sequence[ListedClip]) -> tuple[list[ListedClip], list[Repeat]]:
    """The first row of each id, and the ids with several."""
    places: dict[str, list[ListedClip]] = {}
    for clip in rows:
        places.setdefault(clip.id, []).append(clip)
    repeated = [Repeat(name, tuple(clip.row for clip in same)) for name, same in places.items() if len(same) > 1]
    return [same[0] for same in places.values()], repeated


def _report(
    listed: PublishedList,
    media: Path,
    wishes: Wishes,
    asked: _Asked,
    held: Holdings,
    health: dict[str, Health],
    silent: dict[str, float | None],
    kept: list[Entry],
    short: dict[str, int],
) -> DatasetReport:
    present = {label for entry in kept for label in entry.labels}
    return DatasetReport(
        kind=listed.kind,
        list_file=listed.path,
        media=media,
        split=wishes.split,
        classes=listed.classes,
        rows=asked.rows,
        listed=len(asked.clips),
        found=len(held.entries) + len(held.broken),
        kept=len(kept),
        subset_hash=subset_hash(entry.id for entry in kept),
        listed_hash=subset_hash(clip.id for clip in asked.clips),
        missing=tuple(held.missing),
        repeated=tuple(asked.repeated),
        same_content=tuple(_same_content(held.entries)),
        several_files=held.several,
        broken=tuple(held.broken),
        checked=wishes.check,
        without_sound=tuple(name for name, found in health.items() if found.peak is None),
        without_picture=tuple(name for name, found in health.items() if not found.pictures),
        silent=silent,
        silence_db=wishes.silence_db if wishes.check else None,
        silent_left_out=wishes.leave_out_silent,
        unlisted=tuple(asked.unlisted),
        per_class=wishes.per_class,
        seed=wishes.seed,
        short_classes=short,
        empty_classes=tuple(name for name in listed.classes.names if name not in present),
    )


def _same_content(entries: Sequence[Entry]) -> list[tuple[str, ...]]:
    try:
        return same_content(entries)
    except OSError as error:
        raise StorageError(f"{error.filename} cannot be read ({error.strerror})", cure="mend its rights") from error
