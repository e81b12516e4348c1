"""VGG-SS's annotation (Chen et al., CVPR 2021): the file `vggss.json`.

It is a list of `{"file", "class", "bbox": [[x0, y0, x1, y1], ...]}`. Coordinates are shares of the picture; some lie a
little outside it and are cut, as the published code does. The truth of a clip is any of its boxes
(`metrics.union_truth`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seehear.clips.manifest import printable
from seehear.clips.published.boxes import Boxes, gathered
from seehear.clips.published.text_files import json_document
from seehear.errors import DataError


def read_vgg_ss(path: str | Path) -> Boxes:
    """The boxes of a `vggss.json` by clip, and what could not be used.

    Raises:
        DataError: if it is no such list, names a clip twice, or has a box that is no four finite numbers.
        StorageError: if it cannot be read.
    """
    path = Path(path)
    document = json_document(path)
    if not isinstance(document, list):
        raise DataError(f"{path} holds a {type(document).__name__}", expected='a list of {"file", "class", "bbox"}')
    return gathered(_entries(path, document), str(path))


def _entries(path: Path, document: list[Any]) -> Iterator[tuple[str, str, list[list[float]], str]]:
    for number, entry in enumerate(document, 1):
        where = f"{path}, entry {number}"
        values = [entry.get(name) for name in ("file", "class", "bbox")] if isinstance(entry, dict) else [None] * 3
        name, label, boxes = values
        if not isinstance(name, str) or not name or not isinstance(label, str) or not isinstance(boxes, list):
            raise DataError(f"{where} is {str(entry)[:60]}", expected="a file, a class and a list of boxes")
        for box in boxes:
            if not isinstance(box, list) or not all(isinstance(v, int | float) for v in box):
                raise DataError(f"{where} has the box {box}", expected="four finite numbers: x0, y0, x1, y1")
        yield where, printable(name), boxes, printable(label)
