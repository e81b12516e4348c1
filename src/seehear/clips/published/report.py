"""What there is of a published list, and what is missing, broken, silent or there twice."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seehear.clips.published.class_list import ClassList


@dataclass(frozen=True)
class Missing:
    """A listed clip without a file: why none was taken."""

    id: str
    detail: str


@dataclass(frozen=True)
class Repeat:
    """An id that stands in several rows of the list; the first of them counts."""

    id: str
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Broken:
    """A clip whose file cannot be used, with the reason under which `seehear pack` would skip it."""

    id: str
    file: str
    reason: str
    detail: str


@dataclass(frozen=True)
class DatasetReport:
    """What became of a published list. Clips are named by their ids.

    Attributes:
        kind: of the list.
        list_file: the list.
        media: the folder that was looked through.
        split: that was taken, or that the clips were given; "" for none.
        classes: all classes in the order of their index.
        rows: rows of the list (of that split).
        listed: different clips in them; with a given subset, those that it names.
        found: clips with a file.
        kept: clips in the manifest: found, not broken, and chosen.
        subset_hash: of the ids that are kept; `seehear.clips.subset_hash`.
        listed_hash: of the ids that are listed: equal to `subset_hash` where nothing is lost.
        missing: clips without a file.
        repeated: ids that stand in several rows.
        same_content: groups of clips whose files are equal byte for byte.
        several_files: clips with more than one file of the same name, and how many more.
        broken: clips whose file cannot be used; not kept.
        checked: whether files were decoded; if not, the next three say nothing.
        without_sound: clips without a sound track; kept.
        without_picture: clips without pictures; kept.
        silent: peak in decibels of full scale of the clips below `silence_db`; None for digital silence.
        silence_db: the threshold.
        silent_left_out: whether silent clips are left out of those that are kept.
        unlisted: ids of a given subset that the list does not have.
        per_class: clips that were drawn of each class; None where all are taken.
        seed: of that draw.
        short_classes: classes with fewer clips than were to be drawn.
        empty_classes: classes without any clip among those kept.
        manifest: what was written; None where nothing was.
    """

    kind: str
    list_file: Path
    media: Path
    split: str
    classes: ClassList
    rows: int
    listed: int
    found: int
    kept: int
    subset_hash: str
    listed_hash: str
    missing: tuple[Missing, ...] = ()
    repeated: tuple[Repeat, ...] = ()
    same_content: tuple[tuple[str, ...], ...] = ()
    several_files: dict[str, int] = field(default_factory=dict)
    broken: tuple[Broken, ...] = ()
    checked: bool = False
    without_sound: tuple[str, ...] = ()
    without_picture: tuple[str, ...] = ()
    silent: dict[str, float | None] = field(default_factory=dict)
    silence_db: float | None = None
    silent_left_out: bool = False
    unlisted: tuple[str, ...] = ()
    per_class: int | None = None
    seed: int = 0
    short_classes: dict[str, int] = field(default_factory=dict)
    empty_classes: tuple[str, ...] = ()
    manifest: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dict; `classes` becomes a list of names and mids in the order of their index."""
        classes = [{"name": n, "mid": m} for n, m in zip(self.classes.names, self.classes.mids, strict=True)]
        paths = {
            "list_file": str(self.list_file),
            "media": str(self.media),
            "manifest": self.manifest and str(self.manifest),
        }
        return asdict(self) | paths | {"classes": classes}
