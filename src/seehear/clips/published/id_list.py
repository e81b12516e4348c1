"""Lists of clips that make up a subset, such as the 5 clips per class on which retrieval is published.

A JSON file holds texts, or objects that name a clip (also under "data": CAV-MAE's form); any other file holds one clip
per row, in its first column or in the one that its heading calls `id`, `video_id`, ... A clip may be written with the
suffix of its file.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seehear.clips.listing import SUFFIXES, suffix_of
from seehear.clips.manifest import printable
from seehear.clips.published.listed import ListedClip
from seehear.clips.published.text_files import csv_rows, json_document
from seehear.errors import DataError

NAMES = ("id", "video_id", "youtube_id", "ytid", "file", "filename", "path", "video")


def read_ids(path: str | Path) -> list[str]:
    """The clips that a file names, each once, in its order.

    Raises:
        DataError: if it names none, or is of another form.
        StorageError: if it cannot be read.
    """
    path = Path(path)
    found = _of_json(path) if suffix_of(path.name) == "json" else _of_rows(path)
    ids = list(dict.fromkeys(_bare(text) for text in found))
    if not ids:
        raise DataError(f"{path} names no clip", expected="one in each row")
    return ids


def select(clips: Sequence[ListedClip], ids: Sequence[str]) -> tuple[list[ListedClip], list[str]]:
    """The clips that are asked for, in their own order, and the ids that the list does not have.

    A clip goes by its id, or by its video where the list has one clip of that.

    Raises:
        DataError: on a video of which the list has several clips.
    """
    by_id = {clip.id: clip for clip in clips}
    by_video: dict[str, list[ListedClip]] = {}
    for clip in clips:
        by_video.setdefault(clip.video, []).append(clip)
    chosen, unlisted = set(), []
    for name in ids:
        found = [by_id[name]] if name in by_id else by_video.get(name, [])
        if len(found) > 1:
            given = ", ".join(clip.id for clip in found)
            raise DataError(f"the subset names {name!r}, of which the list has {given}", expected="one of them")
        if not found:
            unlisted.append(name)
        chosen.update(clip.id for clip in found)
    return [clip for clip in clips if clip.id in chosen], unlisted


def _of_json(path: Path) -> list[str]:
    document = json_document(path)
    if isinstance(document, dict):
        document = document.get("data")
    if not isinstance(document, list):
        raise DataError(f"{path} holds no list", expected='a list, or {"data": [...]}')
    return [_named(entry, f"{path}, entry {number}") for number, entry in enumerate(document, 1)]


def _named(entry: Any, where: str) -> str:
    value = next((entry[name] for name in NAMES if name in entry), None) if isinstance(entry, dict) else entry
    if not isinstance(value, str) or not value:
        raise DataError(f"{where} names no clip", expected=f"a text, or an object with one of {', '.join(NAMES)}")
    return value


def _of_rows(path: Path) -> list[str]:
    rows = list(csv_rows(path))
    heading = [cell.lower() for cell in rows[0][1]] if rows else []
    named = next((name for name in NAMES if name in heading), None)
    column = heading.index(named) if named else 0
    for line, cells in rows:
        if len(cells) <= column or not cells[column]:
            raise DataError(f"{path}, line {line} names no clip", expected=f"an id in column {column + 1}")
    return [cells[column] for _, cells in rows[1 if named else 0 :]]


def _bare(text: str) -> str:
    """A clip's name without folder and media suffix."""
    name = printable(text.strip())
    return os.path.splitext(os.path.basename(name))[0] if suffix_of(name) in SUFFIXES else name
