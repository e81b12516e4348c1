"""VGGSound's list (Chen et al., ICASSP 2020): `youtube_id,start_seconds,"label",train|test`, without a heading.

Clips last 10 s. Several may come from one video, so a clip is called as its file usually is: the video and the start
in six digits, `FwVYUHKoLtQ_000034`.
"""

from pathlib import Path

from seehear.clips.manifest import printable
from seehear.clips.published.class_list import ClassList
from seehear.clips.published.listed import ListedClip
from seehear.clips.published.text_files import csv_rows, seconds
from seehear.errors import DataError

COLUMNS = 'youtube_id,start_seconds,"label",train|test'
SPLITS = ("train", "test")
CLIP_SECONDS = 10.0


def read(path: Path, classes: ClassList | None = None) -> tuple[list[ListedClip], ClassList]:
    """The clips of the list, in its order, and its classes.

    Args:
        path: the CSV.
        classes: a class list; by default the labels of the whole list in alphabetical order, which is how the 309
            classes are usually numbered. Names with underscores in place of commas are taken for the same.

    Raises:
        DataError: if a row cannot be understood, or has a label that is not in the class list.
        StorageError: if the file cannot be read.
    """
    rows = [(line, _checked(f"{path}, line {line}", cells)) for line, cells in csv_rows(path)]
    if classes is None:
        names = tuple(sorted({printable(cells[2]) for _, cells in rows}))
        classes = ClassList(names, names, str(path))
    return [_clip(f"{path}, line {line}", line, cells, classes) for line, cells in rows], classes


def _checked(where: str, cells: list[str]) -> list[str]:
    if len(cells) != 4 or not all(cells):
        cause = "a label with commas and without quotes" if len(cells) > 4 else ""
        raise DataError(f"{where} has {len(cells)} columns: {', '.join(cells)}", expected=COLUMNS, cause=cause)
    start = seconds(cells[1])
    if start is None or start != int(start):
        raise DataError(f"{where} starts at {cells[1]!r}", expected="whole seconds")
    if cells[3] not in SPLITS:
        raise DataError(f"{where} has the split {cells[3]!r}", expected=" or ".join(SPLITS))
    return cells


def _clip(where: str, line: int, cells: list[str], classes: ClassList) -> ListedClip:
    video, start = printable(cells[0]), int(float(cells[1]))
    label = classes.name_of_label.get(printable(cells[2]))
    if label is None:
        raise DataError(
            f"{where} has the label {cells[2]!r}",
            expected=f"one of the {len(classes.names)} names of {classes.source}",
            cause="the class list of another data set",
        )
    return ListedClip(f"{video}_{start:06d}", video, (label,), line, start, start + CLIP_SECONDS, cells[3])
