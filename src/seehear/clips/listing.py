"""The media files of a folder, by name: what there is to probe, and what is left aside.

Names decide only what is looked at; what a file is, its content decides. Hidden files and folders are left aside.
"""

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from seehear.clips import manifest as manifests
from seehear.clips.manifest import Entry, name_of
from seehear.clips.pack_state import Skip
from seehear.errors import DataError, SkipReason, StorageError

VIDEO = frozenset(
    ["mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "ts", "m2ts", "mts", "flv", "wmv", "asf", "3gp", "ogv"]
)
AUDIO = frozenset(["wav", "flac", "mp3", "ogg", "oga", "opus", "m4a", "aac", "wma"])
IMAGE = frozenset(["jpg", "jpeg", "png", "webp"])
SUFFIXES = VIDEO | AUDIO | IMAGE
SPLITS = frozenset({"train", "val", "valid", "validation", "test", "eval"})


@dataclass
class Listing:
    """What a folder holds.

    Attributes:
        folder: the folder.
        entries: files, or stretches of files, in the order of their names, or of the manifest.
        missing: files that the manifest names and that do not exist.
        ignored: number of files left aside, by suffix (with a manifest: media that it does not name).
    """

    folder: Path
    entries: list[Entry]
    missing: list[Skip] = field(default_factory=list)
    ignored: dict[str, int] = field(default_factory=dict)


def list_folder(folder: str | Path, manifest: str | Path | None = None) -> Listing:
    """The media of a folder and its subfolders, or what its manifest names, or a single file.

    Without a manifest, files under a first-level subfolder called train, val, test, ... have that split.

    Args:
        folder: a folder, or one media file.
        manifest: a CSV, JSONL or Parquet file; by default `manifest.*` in the folder, or in its subfolders.

    Raises:
        DataError: if there is no folder, or no media in it; the message says what there is.
        StorageError: if it cannot be read.
    """
    root = Path(folder)
    try:
        if root.is_file():
            return _single(root)
        if not root.is_dir():
            raise DataError(f"there is no folder {root}", cure="check the name")
        found = [Path(manifest)] if manifest is not None else manifests.find(root)
        return _named_by(found, root) if found else _walked(root)
    except OSError as error:
        raise StorageError(f"{error.filename or root} cannot be read ({error.strerror})") from error


def _single(path: Path) -> Listing:
    if path.suffix.lower() in manifests.SUFFIXES:
        return _named_by([path], path.parent)
    if suffix_of(path.name) not in SUFFIXES:
        raise DataError(f"{path} is no media file by its name", expected=f"one of {', '.join(sorted(SUFFIXES))}")
    return Listing(path.parent, [Entry(str(path), name_of(path, path.parent))])


def _walked(root: Path) -> Listing:
    paths, others = walk(root)
    if not paths:
        kinds = ", ".join(f"{count} {suffix or 'without suffix'}" for suffix, count in sorted(others.items()))
        raise DataError(
            f"{root} holds no media ({kinds or 'it is empty'})",
            expected=f"files ending in {', '.join(sorted(SUFFIXES))}, or a manifest",
            cause="another folder was meant, or the media were not downloaded",
        )
    return Listing(root, [_entry(path, root) for path in paths], ignored=dict(others))


def _entry(path: Path, root: Path) -> Entry:
    first = path.relative_to(root).parts[0]
    return Entry(str(path), name_of(path, root), split=first if first in SPLITS else "")


def walk(root: Path) -> tuple[list[Path], Counter[str]]:
    """All media files, in the order of their names within the folder, and the number of others by suffix."""
    paths, others = [], Counter[str]()

    def refuse(error: OSError) -> None:
        raise error

    for place, folders, files in os.walk(root, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not name.endswith(".lance"))
        for name in files:
            if name.startswith("."):
                continue
            if suffix_of(name) in SUFFIXES:
                paths.append(Path(place, name))
            else:
                others[suffix_of(name)] += 1
    return sorted(paths, key=lambda p: os.fsencode(p.relative_to(root).as_posix())), others


def suffix_of(name: str) -> str:
    """The suffix of a file's name, in small letters, without the dot."""
    return os.path.splitext(name)[1].lower().lstrip(".")


def _named_by(found: list[Path], root: Path) -> Listing:
    entries = [entry for path in found for entry in manifests.read(path, root)]
    there = [os.path.isfile(entry.path) for entry in entries]
    missing = [
        Skip(entry.name, SkipReason.UNREADABLE.value, "named by the manifest, but there is no such file")
        for entry, exists in zip(entries, there, strict=True)
        if not exists
    ]
    if not any(there):
        raise DataError(
            f"none of the {len(entries)} files that {found[0]} names exists, for example {entries[0].path}",
            cause="names that are not relative to the manifest's folder, or media that were not downloaded",
        )
    kept = [entry for entry, exists in zip(entries, there, strict=True) if exists]
    named = {os.path.realpath(entry.path) for entry in kept}
    others = Counter(suffix_of(path.name) for path in walk(root)[0] if os.path.realpath(path) not in named)
    return Listing(root, kept, missing, dict(others))
