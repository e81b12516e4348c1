"""MUSIC's videos and the pairs of clips that separation is tested on.

Videos (Zhao et al., "The Sound of Pixels", arXiv 1804.03160): `{"videos": {"cello": [id, ...], ...}}`; of duets the
name of the class holds both instruments, parted by a space. Pairs as the authors of OneAVM and DeepAVFusion publish
them: `source_1,source_2,class_1,class_2,sep_type` under a heading, clips called as VGGSound's, classes with underscores
in place of spaces, `sep_type` "Easy" or "Hard" (the same class).

Of a pair of one class nothing that is seen tells the two apart by kind; such pairs are counted and can be left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from seehear.clips.manifest import printable
from seehear.clips.published.text_files import csv_rows, json_document
from seehear.errors import DataError

COLUMNS = ("source_1", "source_2", "class_1", "class_2")
KIND = "sep_type"


@dataclass(frozen=True)
class MusicVideo:
    """A video and the instruments that it shows."""

    id: str
    instruments: tuple[str, ...]


@dataclass(frozen=True)
class SoundPair:
    """Two clips that are to be mixed, each with its class; `kind` as the list has it, or ""."""

    clips: tuple[str, str]
    labels: tuple[str, str]
    kind: str = ""

    @property
    def same_class(self) -> bool:
        """Both clips are of one class."""
        return self.labels[0] == self.labels[1]


@dataclass(frozen=True)
class SoundPairs:
    """Pairs that can be used, and what became of the others.

    Attributes:
        pairs: in the list's order.
        listed: rows of the list.
        same_class: pairs of one class among the usable ones.
        with_itself: rows that pair a clip with itself, left out.
        repeated: rows that come again, in either order, left out.
        missing: pairs of which a clip is not at hand, left out.
        left_out: pairs of one class that were not wanted.
    """

    pairs: tuple[SoundPair, ...]
    listed: int
    same_class: int = 0
    with_itself: int = 0
    repeated: int = 0
    missing: tuple[SoundPair, ...] = ()
    left_out: int = 0

    def of(self, names: Iterable[str]) -> "SoundPairs":
        """The pairs of which both clips are among `names` (all that are at hand); the others are counted as missing.

        Raises:
            DataError: if there is none.
        """
        held = set(names)
        kept = tuple(pair for pair in self.pairs if held.issuperset(pair.clips))
        if not kept:
            raise DataError(
                f"none of the {len(self.pairs)} pairs has both clips among the {len(held)} at hand",
                cause="clips that are named otherwise than in the list",
            )
        missing = tuple(pair for pair in self.pairs if not held.issuperset(pair.clips))
        return replace(self, pairs=kept, same_class=_same(kept), missing=self.missing + missing)

    def across_classes(self) -> "SoundPairs":
        """Without the pairs of one class.

        Raises:
            DataError: if there are no others.
        """
        kept = tuple(pair for pair in self.pairs if not pair.same_class)
        if not kept:
            raise DataError(f"all {len(self.pairs)} pairs are of one class each", expected="some of two classes")
        return replace(self, pairs=kept, same_class=0, left_out=self.left_out + len(self.pairs) - len(kept))

    def lines(self) -> list[str]:
        """For people."""
        told = [f"{self.listed} listed pairs, {len(self.pairs)} used, {self.same_class} of them of one class"]
        for count, what in (
            (self.with_itself, "pair a clip with itself: left out"),
            (self.repeated, "come again: left out"),
            (len(self.missing), "name a clip that is not at hand: left out"),
            (self.left_out, "are of one class and not wanted"),
        ):
            told += [f"{count} {what}"] if count else []
        return told


def read_pairs(path: str | Path) -> SoundPairs:
    """The pairs of a list.

    Raises:
        DataError: on other columns, a row without both clips and classes, a clip of two classes, or no usable pair.
        StorageError: if it cannot be read.
    """
    path = Path(path)
    rows = list(csv_rows(path))
    heading = tuple(rows[0][1]) if rows else ()
    if heading[: len(COLUMNS)] != COLUMNS or heading[len(COLUMNS) :] not in ((), (KIND,)):
        raise DataError(
            f"{path} has the columns {', '.join(heading) or 'none'}", expected=f"{','.join(COLUMNS)},{KIND}"
        )
    classes: dict[str, str] = {}
    found: dict[frozenset[str], SoundPair] = {}
    with_itself = repeated = 0
    for line, cells in rows[1:]:
        pair = _pair(f"{path}, line {line}", cells, len(heading), classes)
        if pair.clips[0] == pair.clips[1]:
            with_itself += 1
        elif frozenset(pair.clips) in found:
            repeated += 1
        else:
            found[frozenset(pair.clips)] = pair
    if not found:
        raise DataError(f"{path} lists no pair of two clips", expected="one in each row")
    pairs = tuple(found.values())
    return SoundPairs(pairs, len(rows) - 1, _same(pairs), with_itself, repeated)


def read_music(path: str | Path) -> list[MusicVideo]:
    """The videos of a `MUSIC_solo_videos.json` or its kin, each once, with all instruments it stands under.

    Raises:
        DataError: if it is no such list, or names no video.
        StorageError: if it cannot be read.
    """
    path = Path(path)
    document = json_document(path)
    videos = document.get("videos") if isinstance(document, dict) else None
    if not isinstance(videos, dict) or not all(isinstance(ids, list) for ids in videos.values()):
        raise DataError(f"{path} holds no videos by instrument", expected='{"videos": {"cello": [id, ...], ...}}')
    found: dict[str, list[str]] = {}
    for name, ids in videos.items():
        for video in ids:
            if not isinstance(video, str) or not video:
                raise DataError(f"{path} has {video!r} under {name!r}", expected="names of videos")
            found.setdefault(printable(video), []).extend(_class(part) for part in name.split())
    if not found:
        raise DataError(f"{path} names no video", expected="some under each instrument")
    return [MusicVideo(video, tuple(dict.fromkeys(names))) for video, names in found.items()]


def _pair(where: str, cells: list[str], columns: int, classes: dict[str, str]) -> SoundPair:
    if len(cells) != columns or not all(cells):
        raise DataError(f"{where} is {', '.join(cells)}", expected=f"{columns} cells, none of them empty")
    clips, labels = [printable(cell) for cell in cells[:2]], [_class(cell) for cell in cells[2:4]]
    for clip, label in zip(clips, labels, strict=True):
        if classes.setdefault(clip, label) != label:
            raise DataError(f"{where} has {clip} as {label}", expected=f"{classes[clip]}, as before")
    return SoundPair((clips[0], clips[1]), (labels[0], labels[1]), cells[4] if columns > 4 else "")


def _class(text: str) -> str:
    return printable(text.replace("_", " "))


def _same(pairs: Iterable[SoundPair]) -> int:
    return sum(pair.same_class for pair in pairs)
