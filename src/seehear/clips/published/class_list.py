"""Class lists: `index,mid,display_name`, as AudioSet publishes its 527 classes and CAV-MAE those of VGGSound.

The index is the place of a class in the output of every network that was trained on the list, so its order is kept.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from seehear.clips.manifest import printable
from seehear.clips.published.text_files import csv_rows
from seehear.errors import DataError

COLUMNS = ("index", "mid", "display_name")


@dataclass(frozen=True)
class ClassList:
    """Classes in the order of their index.

    Attributes:
        names: display names, each once.
        mids: their identifiers ("/m/09x0r"), or the names again where a list has none.
        source: the file, for messages.
    """

    names: tuple[str, ...]
    mids: tuple[str, ...]
    source: str

    @cached_property
    def name_of_mid(self) -> dict[str, str]:
        """Display name by identifier."""
        return dict(zip(self.mids, self.names, strict=True))

    @cached_property
    def name_of_label(self) -> dict[str, str]:
        """Display name by itself, and by itself with the underscores that some lists write in place of commas."""
        return {name.replace("_", ","): name for name in self.names} | {name: name for name in self.names}


def read_class_list(path: str | Path) -> ClassList:
    """The classes of a `class_labels_indices.csv`, in the order of their index.

    Raises:
        DataError: on other columns, an index that is missing or given twice, or a name or mid that stands twice.
        StorageError: if it cannot be read.
    """
    path = Path(path)
    rows = list(csv_rows(path))
    if not rows or tuple(rows[0][1]) != COLUMNS:
        found = f"the columns {', '.join(rows[0][1])}" if rows else "no rows"
        raise DataError(f"{path} has {found}", expected=", ".join(COLUMNS), cause="not a list of classes")
    classes = sorted(_class(path, line, cells) for line, cells in rows[1:])
    if not classes:
        raise DataError(f"{path} names no class", expected="one row for each")
    for place, (index, *_) in enumerate(classes):
        if index != place:
            raise DataError(f"{path} has {len(classes)} classes and no index {place}, or one index twice")
    mids, names = [mid for _, mid, _ in classes], [name for _, _, name in classes]
    for values in (mids, names):
        _refuse_repeats(path, values)
    return ClassList(tuple(names), tuple(mids), str(path))


def _class(path: Path, line: int, cells: list[str]) -> tuple[int, str, str]:
    if len(cells) != len(COLUMNS) or not cells[0].isdecimal() or not all(cells):
        raise DataError(f"{path}, line {line} is {cells}", expected="an index, a mid and a display name")
    return int(cells[0]), printable(cells[1]), printable(cells[2])


def _refuse_repeats(path: Path, values: list[str]) -> None:
    if len(set(values)) < len(values):
        twice = next(value for value in values if values.count(value) > 1)
        raise DataError(f"{path} has {twice!r} twice", expected="each class once")
