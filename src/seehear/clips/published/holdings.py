"""Which of the listed clips are there: their files, the stretch of them that a clip is, and whether they decode."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from seehear.clips.manifest import Entry, name_of, printable
from seehear.clips.published.checking import Health, check_all, probe_all
from seehear.clips.published.listed import ListedClip, PublishedList
from seehear.clips.published.media_names import Located, MediaFolder, usual_stems
from seehear.clips.published.report import Broken, Missing
from seehear.clips.published.wishes import Files, Wishes
from seehear.errors import DataError, MediaError
from seehear.media import MediaInfo, Pool

Told = Callable[[str, int, int], None]  # what is done, done, in all
_LONGER_SECONDS = 1.0  # than its segment: then a file named after its video holds all of the video


@dataclass
class Holdings:
    """Clips as far as they are there."""

    entries: list[Entry] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    several: dict[str, int] = field(default_factory=dict)

    def drop(self, entry: Entry, error: MediaError) -> None:
        """Take note of a clip whose file cannot be used."""
        self.broken.append(Broken(entry.id, entry.name, error.reason.value, error.detail))


def look(
    listed: PublishedList, clips: list[ListedClip], media: Path, wishes: Wishes, told: Told
) -> tuple[Holdings, dict[str, Health]]:
    """Find the files of clips, settle which stretch of them each clip is, and decode them where that is asked for.

    Returns:
        What is there, and by the clips' ids what decoding showed.

    Raises:
        DataError: if there is no such folder, no media in it, or none of the clips.
        StorageError: if the folder cannot be read.
    """
    folder, held, located = MediaFolder(media), Holdings(), list[tuple[ListedClip, Located]]()
    for clip in clips:
        place = folder.find(clip)
        if isinstance(place, str):
            held.missing.append(Missing(clip.id, place))
            continue
        located.append((clip, place))
        if place.others:
            held.several[clip.id] = place.others
    if not located:
        names = ", ".join(usual_stems(clips[0])[:4])
        raise DataError(
            f"{media} holds none of the {len(clips)} clips of {listed.path}",
            expected=f"files called, for example, {names} with a media suffix",
            cause="another folder was meant, or files with other names",
        )
    probed = [str(p.path) for c, p in located if wishes.check or (wishes.files == "auto" and _unsure(c, p))]
    if not probed:
        _add_entries(held, located, {}, media, wishes, listed)
        return held, {}
    with Pool(wishes.workers) as pool:
        infos = probe_all(probed, pool, lambda done, total: told("probing", done, total))
        _add_entries(held, located, infos, media, wishes, listed)
        return held, _checked(held, infos, pool, told) if wishes.check else {}


def _unsure(clip: ListedClip, place: Located) -> bool:
    """Whether a file may hold all of a video or the clip alone."""
    return clip.start_seconds is not None and not place.named_by_times


def _add_entries(
    held: Holdings,
    located: list[tuple[ListedClip, Located]],
    infos: dict[str, MediaInfo | MediaError],
    media: Path,
    wishes: Wishes,
    listed: PublishedList,
) -> None:
    segments = Counter(clip.video for clip in {clip.id: clip for clip in listed.clips}.values())
    for clip, place in located:
        entry = Entry(
            path=str(place.path),
            name=name_of(place.path, media),
            id=clip.id,
            split=clip.split or printable(wishes.split),
            labels=clip.labels,
        )
        info = infos.get(entry.path)
        if isinstance(info, MediaError):
            held.drop(entry, info)
        elif not _unsure(clip, place):
            held.entries.append(entry)
        elif _holds_video(clip, info, wishes.files):
            held.entries.append(_stretch(entry, clip))
        elif segments[clip.video] == 1:
            held.entries.append(entry)
        else:
            detail = f"{entry.name} holds one segment, and the list has {segments[clip.video]} of that video"
            held.missing.append(Missing(clip.id, detail))


def _holds_video(clip: ListedClip, info: MediaInfo | None, files: Files) -> bool:
    if files != "auto" or info is None or clip.start_seconds is None or clip.end_seconds is None:
        return files == "whole"
    return info.duration_seconds > clip.end_seconds - clip.start_seconds + _LONGER_SECONDS


def _stretch(entry: Entry, clip: ListedClip) -> Entry:
    start, end = clip.start_seconds or 0.0, clip.end_seconds or 0.0
    return Entry(
        entry.path, entry.name, entry.id, entry.split, entry.labels, start_seconds=start, duration_seconds=end - start
    )


def _checked(held: Holdings, infos: dict[str, MediaInfo | MediaError], pool: Pool, told: Told) -> dict[str, Health]:
    """Decode all clips; those that do not decode become broken ones."""
    found = check_all(held.entries, infos, pool, lambda done, total: told("decoding", done, total))
    health: dict[str, Health] = {}
    sound = []
    for entry in held.entries:
        result = found[entry.id]
        if isinstance(result, MediaError):
            held.drop(entry, result)
        else:
            health[entry.id] = result
            sound.append(entry)
    held.entries = sound
    return health
