"""Reading a published list by its kind."""

from pathlib import Path

from seehear.clips.published import audioset, cav_mae, vggsound
from seehear.clips.published.class_list import read_class_list
from seehear.clips.published.listed import PublishedList
from seehear.configuration import unknown_name
from seehear.errors import DataError, UsageError

KINDS = ("audioset", "vggsound", "cav-mae")


def read_list(kind: str, path: str | Path, labels: str | Path | None = None) -> PublishedList:
    """The clips of a published list with their classes.

    Args:
        kind: one of `KINDS`.
        path: the list.
        labels: its class list (`index,mid,display_name`); only VGGSound's may be left out.

    Raises:
        UsageError: on another kind, or without the class list that it needs.
        DataError: on an empty list, a row that cannot be understood, or a class that the class list does not have.
        StorageError: if a file cannot be read.
    """
    path = Path(path)
    if kind not in KINDS:
        raise unknown_name(f"kind of list {kind!r}", kind, KINDS)
    classes = None if labels is None else read_class_list(labels)
    if kind == "vggsound":
        clips, classes = vggsound.read(path, classes)
    elif classes is None:
        raise UsageError(f"no class list is given for {path}", cure="name class_labels_indices.csv with --labels")
    else:
        clips = {"audioset": audioset.read, "cav-mae": cav_mae.read}[kind](path, classes)
    if not clips:
        raise DataError(f"{path} lists no clip", expected="one row for each", cause="an empty or unfinished download")
    return PublishedList(kind, path, tuple(clips), classes)
