"""Packing WebDataset shards: each sample, one clip or several, becomes rows of the table.

A sample is the members of a tar with one key. Its media are a video, or pictures and a sound; `.json`, `.cls` and
`.txt` say what is known of it (labels, split, caption, truth: the columns of a manifest). What `export_webdataset`
wrote comes back as it was. Members of other kinds are counted by suffix, never opened; nothing is unpickled, and
nothing is unpacked to disk.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Generator, Iterator
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seehear.clips.convert import Stored, Storing, convert
from seehear.clips.convert_sample import Part, Parts, convert_parts
from seehear.clips.feed import Packed
from seehear.clips.listing import AUDIO, IMAGE, SPLITS, VIDEO, suffix_of
from seehear.clips.manifest import Entry, printable
from seehear.clips.pack_state import Skip
from seehear.clips.pieces import Cutting, Piece, check_piece, pieces_of
from seehear.clips.schema import Row, truth_text
from seehear.clips.survey import skip_of, windowed
from seehear.clips.tar_members import Sample, samples
from seehear.clips.webdataset_facts import TEXTS, Facts, facts_of
from seehear.errors import MediaError, SkipReason
from seehear.media import Limits, Pool, probe

_PIECES = 1_000_000  # clips of one sample: a clip's number in its shard is sample * _PIECES + piece


@dataclass(frozen=True)
class _Media:
    """The media of a sample by extension: a video, or pictures and a sound; and what else is there.

    `kept` is the video of an exported clip, which is kept beside its frames and sound.
    """

    video: str = ""
    pictures: tuple[str, ...] = ()
    sound: str = ""
    kept: str = ""
    arrays: str = ""
    others: tuple[str, ...] = ()


@dataclass
class _Item:
    """One sample on its way, or why it cannot be used; `number` counts those of its shard."""

    file: int
    number: int
    shard: str
    name: str
    facts: Facts
    media: _Media
    members: dict[str, bytes]
    error: MediaError | None = None


@dataclass
class _Clip:
    """One clip of a sample on its way; no `found` where the sample is cut while it is converted."""

    item: _Item
    number: int = 0
    found: Piece | None = None
    error: MediaError | None = None


class WebDatasetFeed:
    """Rows of WebDataset shards, each of them counted as a file; see `Feed`.

    Args:
        source: as it was named: a tar, a folder (shards are named within it) or a pattern.
        shards: the tars.
        cutting: how samples become clips.
        storing: how clips are stored.
        workers: decoding processes; None for one per core.
        limits: on decoding, and on the size of a sample.
    """

    def __init__(
        self,
        source: str,
        shards: list[Path],
        cutting: Cutting,
        storing: Storing,
        workers: int | None,
        limits: Limits | None,
    ):
        self._shards, self._cutting, self._storing = shards, cutting, storing
        self._workers, self._limits = workers, limits or Limits()
        folder = Path(source)
        self._root = folder if folder.is_dir() else Path(os.path.commonpath([shard.parent for shard in shards]))
        self.place, self.files = source, len(shards)
        self.missing: list[Skip] = []
        self.ignored: dict[str, int] = {}
        self.settings = cutting.facts | asdict(storing) | {"files": self._identity()}
        self._arrays = self._has_arrays()
        self.blobs = ("video",) * storing.keep_video + ("truth_arrays",) * self._arrays

    def _identity(self) -> str:
        """A hash of the shards' names and sizes."""
        digest = hashlib.blake2b(digest_size=8)
        for shard in self._shards:
            digest.update(f"{self._name(shard)}\0{shard.stat().st_size}\0".encode())
        return f"{len(self._shards)} tars, {digest.hexdigest()}"

    def _name(self, shard: Path) -> str:
        return printable(shard.relative_to(self._root).as_posix())

    def _has_arrays(self) -> bool:
        """Whether the table that was exported had masks, stems and the like: its first clip says so."""
        first = next(samples(self._shards[0], self._limits, "json".__eq__), Sample(""))
        try:
            return "truth_arrays" in facts_of(first.members).blobs
        except MediaError:
            return False

    def rows(self, file: int, clip: int) -> Generator[Packed, None, None]:
        """All rows from clip number `clip` of shard number `file` on."""
        sample, first = divmod(clip, _PIECES)
        with Pool(self._workers, limits=self._limits) as pool:
            depth = pool.workers + 1

            def probed(item: _Item) -> Future | None:
                if item.error is not None or not item.media.video:
                    return None
                return pool.submit(probe, item.members[item.media.video], limits=self._limits)

            def converted(clip: _Clip) -> Future | None:
                return None if clip.error is not None else self._submit(pool, clip)

            items = windowed(probed, self._items(file, sample), depth)
            clips = (clip for item, info in items for clip in self._clips(item, info))
            start = (file, sample, first)
            left = (c for c in clips if c.found is None or (c.item.file, c.item.number, c.number) >= start)
            for each, stored in windowed(converted, left, depth):
                for packed in self._packed(each, stored):
                    if (packed.file, packed.clip) >= (file, clip):
                        yield packed

    # ------------------------------------------------------------------------------------------- samples of the tars
    def _items(self, first_file: int, first_sample: int) -> Iterator[_Item]:
        """Every sample from one on; of those before, only the names are read, as no two clips may have one id."""
        seen: set[str] = set()
        ignored = Counter[str]()
        for file, shard in enumerate(self._shards):
            wanted = "json".__eq__ if file < first_file else self._is_read
            for number, sample in enumerate(samples(shard, self._limits, wanted)):
                item = self._item(file, number, shard, sample)
                ignored.update(suffix_of(f"x.{name}") for name in item.media.others)
                self.ignored = dict(ignored)
                if item.name in seen and item.error is None:
                    found = "the id comes twice, or the members of a clip do not lie together"
                    item.error = MediaError(SkipReason.UNSUPPORTED, found)
                seen.add(item.name)
                if (file, number) >= (first_file, first_sample):
                    yield item

    def _is_read(self, extension: str) -> bool:
        kind = extension.rpartition(".")[2]
        return extension in TEXTS or kind in VIDEO | AUDIO | IMAGE or (extension == "npz" and self._arrays)

    def _item(self, file: int, number: int, shard: Path, sample: Sample) -> _Item:
        name, error = self._name(shard), sample.error
        try:
            facts = facts_of(sample.members)
        except MediaError as unclear:
            facts, error = Facts(), error or unclear
        media = _media(sample.extensions, facts.exported, self._storing.keep_video, self._arrays)
        known = facts.id or (f"{name}/{sample.key}" if sample.key else name)
        if not (media.video or media.pictures or media.sound) and error is None:
            found = f"members {', '.join(sample.extensions)}"
            error = MediaError(SkipReason.NOT_MEDIA, found, expected="a video, pictures or a sound")
        return _Item(file, number, name, known, facts, media, sample.members, error)

    def _clips(self, item: _Item, info: Any) -> Iterator[_Clip]:
        """The clips of a sample; of a video by its probed facts."""
        error = item.error or (info if isinstance(info, MediaError) else None)
        if error is not None or not item.media.video:
            yield _Clip(item, error=error)
            return
        try:
            pieces = pieces_of(Entry("", item.name, item.name), info, self._cutting)
        except MediaError as refused:
            yield _Clip(item, error=refused)
            return
        for number, piece in enumerate(pieces):
            try:
                check_piece(piece, self._cutting.modality)
                yield _Clip(item, number, piece)
            except MediaError as refused:
                yield _Clip(item, number, piece, refused)

    def _submit(self, pool: Pool, clip: _Clip) -> Future:
        item, media = clip.item, clip.item.media
        if clip.found is not None:
            return pool.submit(convert, item.members[media.video], clip.found, self._storing, self._limits)
        parts = Parts(
            pictures=tuple(item.members[name] for name in media.pictures),
            sound=item.members[media.sound] if media.sound else None,
            sound_suffix=media.sound.rpartition(".")[2],
            times=item.facts.times,
            exported=item.facts.exported,
            duration_seconds=item.facts.duration_seconds,
        )
        return pool.submit(convert_parts, parts, self._cutting, self._storing, self._limits)

    # -------------------------------------------------------------------------------------------------------- rows
    def _packed(self, clip: _Clip, stored: Any) -> Iterator[Packed]:
        item = clip.item
        error = clip.error or (stored if isinstance(stored, MediaError) else None)
        if error is not None:
            name = item.name if clip.found is None else clip.found.name
            yield self._as_packed(item, clip.number, None, skip_of(name, error))
        elif clip.found is not None:
            yield self._as_packed(item, clip.number, self._row(item, clip.found.name, clip.found.span, stored), None)
        else:
            for number, part in enumerate(stored):
                row = self._row(item, _part_name(item, part, len(stored)), part.span, part.stored)
                yield self._as_packed(item, number, row, None)

    def _as_packed(self, item: _Item, number: int, row: Row | None, skip: Skip | None) -> Packed:
        return Packed(item.file, item.number * _PIECES + number, item.shard, row, skip)

    def _row(self, item: _Item, name: str, span: Any, stored: Stored) -> Row:
        facts, media = item.facts, item.media
        whole = media.video or media.sound or (media.pictures[0] if media.pictures else "")
        return Row(
            id=name,
            source=facts.source if facts.exported else f"{item.name}.{whole}",
            start_seconds=facts.start_seconds + span.start_seconds,
            duration_seconds=span.duration_seconds,
            split=facts.split or _split_of(item.shard),
            labels=list(facts.labels),
            caption=facts.caption,
            frames=stored.frames,
            frame_seconds=stored.frame_seconds,
            audio=stored.audio,
            audio_codec=None if stored.audio is None else self._storing.audio_codec,
            truth=truth_text(facts.truth),
            video=item.members[media.kept] if media.kept else stored.video,
            truth_arrays=item.members[media.arrays] if media.arrays else None,
        )


def _media(extensions: tuple[str, ...], exported: bool, keep_video: bool, keep_arrays: bool) -> _Media:
    """Which members are what; of several videos or sounds the first counts. Beside a video nothing else is taken."""
    kinds = {name: name.rpartition(".")[2] for name in extensions}
    videos = [name for name, kind in kinds.items() if kind in VIDEO][:1]
    sounds = [name for name, kind in kinds.items() if kind in AUDIO][:1]
    pictures = sorted(name for name, kind in kinds.items() if kind in IMAGE)
    kept = videos if exported and keep_video else []
    arrays = ["npz"] if exported and keep_arrays and "npz" in kinds else []
    if exported:
        videos = []
    if videos:
        pictures, sounds = [], []
    taken = {*videos, *pictures, *sounds, *kept, *arrays, *TEXTS}
    others = tuple(name for name in extensions if name not in taken)
    first = ["".join(names) for names in (videos, sounds, kept, arrays)]
    return _Media(first[0], tuple(pictures), first[1], first[2], first[3], others)


def _part_name(item: _Item, part: Part, count: int) -> str:
    return item.name if count == 1 else f"{item.name}@{part.span.start_seconds:.3f}"


def _split_of(shard: str) -> str:
    first = shard.partition("/")[0]
    return first if first in SPLITS else ""
