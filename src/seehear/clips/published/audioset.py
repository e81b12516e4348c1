"""AudioSet's segment lists (Gemmeke et al., ICASSP 2017): `YTID, start_seconds, end_seconds, "mid,mid"`.

Three comment lines stand first, a space follows each comma, and a video stands in at most one row. A clip is called
after its video.
"""

from pathlib import Path

from seehear.clips.manifest import printable
from seehear.clips.published.class_list import ClassList
from seehear.clips.published.listed import ListedClip
from seehear.clips.published.mids import names_of
from seehear.clips.published.text_files import csv_rows, seconds
from seehear.errors import DataError

COLUMNS = 'YTID, start_seconds, end_seconds, "mid,mid"'


def read(path: Path, classes: ClassList) -> list[ListedClip]:
    """The clips of a segment list, in its order.

    Raises:
        DataError: if a row cannot be understood, or names a class that is not in the class list.
        StorageError: if the file cannot be read.
    """
    return [_clip(f"{path}, line {line}", line, cells, classes) for line, cells in csv_rows(path)]


def _clip(where: str, line: int, cells: list[str], classes: ClassList) -> ListedClip:
    if len(cells) != 4 or not cells[0]:
        cause = "labels without quotes, or a list that a spreadsheet saved anew" if len(cells) > 4 else ""
        raise DataError(f"{where} has {len(cells)} columns: {', '.join(cells)}", expected=COLUMNS, cause=cause)
    start, end = seconds(cells[1]), seconds(cells[2])
    if start is None or end is None or end <= start:
        raise DataError(f"{where} goes from {cells[1]!r} to {cells[2]!r}", expected="seconds, the end after the start")
    video = printable(cells[0])
    return ListedClip(video, video, names_of(cells[3], classes, where), line, start, end)
