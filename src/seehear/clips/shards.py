"""Which tars a name means: one tar, a folder of tars, or a pattern with braces and wildcards."""

import glob
import os
import re
from pathlib import Path

from seehear.clips.lance_files import text_of
from seehear.clips.listing import walk
from seehear.clips.manifest import find
from seehear.errors import DataError

_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
_CHOICE = re.compile(r"\{([^{}]*,[^{}]*)\}")
_MOST = 1_000_000


def shards_of(source: str | Path) -> list[Path]:
    """The tars, in the order of their names; none if it is something else (a folder of media, a media file).

    A folder counts as one of tars where it holds no media and no manifest.

    Raises:
        DataError: if a pattern fits nothing, or names tars that do not exist.
    """
    text = text_of(source)
    path = Path(text)
    if path.is_dir():
        return _in_folder(path)
    if path.exists() or not any(sign in text for sign in "{*?["):
        return [path] if path.suffix == ".tar" and path.exists() else []
    found = [Path(name) for pattern in expanded(text) for name in _fitting(pattern)]
    if not found:
        raise DataError(f"{text} fits no tar", expected="at least one", cause="another folder was meant")
    missing = [name for name in found if not name.is_file()]
    if missing:
        raise DataError(
            f"{text}: {len(missing)} of {len(found)} tars do not exist, the first: {missing[0]}",
            cause="shards that were not downloaded",
            cure="download them, or name those that are there",
        )
    return found


def expanded(pattern: str) -> list[str]:
    """All texts that the braces of a pattern stand for: {000..012} and {a,b}.

    Raises:
        DataError: if they are more than a million.
    """
    made = [pattern]
    while any("{" in text for text in made):
        longer = [other for text in made for other in _first_brace(text)]
        if len(longer) > _MOST:
            raise DataError(f"{pattern} stands for more than {_MOST:,} names")
        if longer == made:
            break
        made = longer
    return made


def _first_brace(text: str) -> list[str]:
    if found := _RANGE.search(text):
        first, last = int(found[1]), int(found[2])
        if abs(last - first) > _MOST:
            raise DataError(f"{text} stands for more than {_MOST:,} names")
        numbers = range(first, last + 1) if first <= last else range(first, last - 1, -1)
        return [f"{text[: found.start()]}{number:0{len(found[1])}d}{text[found.end() :]}" for number in numbers]
    if found := _CHOICE.search(text):
        return [text[: found.start()] + choice + text[found.end() :] for choice in found[1].split(",")]
    return [text]


def _fitting(pattern: str) -> list[str]:
    return sorted(glob.glob(pattern, recursive=True)) if any(sign in pattern for sign in "*?[") else [pattern]


def _in_folder(folder: Path) -> list[Path]:
    media, others = walk(folder)
    if media or not others.get("tar") or find(folder):
        return []
    found = [
        Path(place, name)
        for place, folders, names in os.walk(folder)
        if _visible(folders)
        for name in names
        if name.lower().endswith(".tar") and not name.startswith(".")
    ]
    return sorted(found, key=lambda path: os.fsencode(path.relative_to(folder).as_posix()))


def _visible(folders: list[str]) -> bool:
    folders[:] = sorted(name for name in folders if not name.startswith("."))
    return True
