"""CAV-MAE's data files (Gong et al., ICLR 2023): `{"data": [{"video_id", "wav", "video_path", "labels": "mid,mid"}]}`.

`wav` and `video_path` are places on its authors' disks; of them only the name of the sound file is used, to look for
media of that name. Where in a video a clip lies is not told.
"""

import posixpath
from pathlib import Path
from typing import Any

from seehear.clips.manifest import printable
from seehear.clips.published.class_list import ClassList
from seehear.clips.published.listed import ListedClip
from seehear.clips.published.mids import names_of
from seehear.clips.published.text_files import json_document
from seehear.errors import DataError

FORM = '{"data": [{"video_id": "...", "labels": "mid,mid"}, ...]}'


def read(path: Path, classes: ClassList) -> list[ListedClip]:
    """The clips of a data file, in its order.

    Raises:
        DataError: if it is of another form, or an entry names a class that is not in the class list.
        StorageError: if the file cannot be read.
    """
    document = json_document(path)
    entries = document.get("data") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        found = f"the keys {', '.join(document)}" if isinstance(document, dict) else f"a {type(document).__name__}"
        raise DataError(f"{path} holds {found}", expected=FORM)
    return [_clip(f"{path}, entry {i}", i, entry, classes) for i, entry in enumerate(entries, 1)]


def _clip(where: str, number: int, entry: Any, classes: ClassList) -> ListedClip:
    if not isinstance(entry, dict):
        raise DataError(f"{where} is a {type(entry).__name__}", expected="an object")
    video, labels, sound = (entry.get(key, "") for key in ("video_id", "labels", "wav"))
    if not (isinstance(video, str) and isinstance(labels, str) and isinstance(sound, str) and video and labels):
        raise DataError(f"{where} has video_id {video!r}, labels {labels!r} and wav {sound!r}", expected="three texts")
    stem = printable(posixpath.splitext(posixpath.basename(sound))[0])
    name = printable(video)
    return ListedClip(name, name, names_of(labels, classes, where), number, stem=stem)
