"""What every published list gives, whichever kind it is: clips by name, with their classes."""

from dataclasses import dataclass
from pathlib import Path

from seehear.clips.published.class_list import ClassList


@dataclass(frozen=True)
class ListedClip:
    """One row of a published list; nothing is known yet of its file.

    Attributes:
        id: the clip's name, under which it is packed.
        video: the video that it was cut from; the same as `id` where a list has one clip of each video.
        labels: names of its classes.
        row: where it stands in the list, counted from 1 (lines of a CSV, entries of a JSON file).
        start_seconds: where it begins in the video; None where the list does not say.
        end_seconds: where it ends.
        split: as the list names it, or "".
        stem: name of its file without the suffix, where the list tells, or "".
    """

    id: str
    video: str
    labels: tuple[str, ...]
    row: int
    start_seconds: float | None = None
    end_seconds: float | None = None
    split: str = ""
    stem: str = ""


@dataclass(frozen=True)
class PublishedList:
    """A list as read: `kind` and `path` of it, all its `clips` in order (repeats too), and the `classes`."""

    kind: str
    path: Path
    clips: tuple[ListedClip, ...]
    classes: ClassList
