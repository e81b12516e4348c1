"""Flickr-SoundNet's annotation (Senocak et al., CVPR 2018): a folder with one XML file for each clip, called like it.

Inside the root stands one element for each annotator, and in it `bbox` elements of five entries: something that is not
a place, then x0, y0, x1, y1 in whole pixels of a picture of 256. Where two boxes agree the truth is 1, where there is
one 0.5 (`metrics.consensus_truth`).
"""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from seehear.clips.manifest import printable
from seehear.clips.published.boxes import Boxes, gathered
from seehear.clips.published.text_files import DAMAGE, read_text
from seehear.errors import DataError, StorageError

PIXELS = 256  # of the annotated pictures' sides
ENTRIES = 5
DOCTYPE = "<!doctype"


def read_flickr_soundnet(folder: str | Path) -> Boxes:
    """The boxes of every `.xml` file of a folder by clip, and what could not be used.

    Raises:
        DataError: if there is no such file, or one is no XML or has a box of another form.
        StorageError: if the folder or a file cannot be read.
    """
    folder = Path(folder)
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".xml")
    except OSError as error:
        raise StorageError(f"{folder} cannot be read ({error.strerror or error})", cure="check the name") from error
    return gathered(_entries(paths), str(folder))


def _entries(paths: list[Path]) -> Iterator[tuple[str, str, list[list[float]], str]]:
    for path in paths:
        boxes = [_box(path, box) for annotator in _root(path) for box in annotator.iter("bbox")]
        yield str(path), printable(path.stem), boxes, ""


def _root(path: Path) -> ElementTree.Element:
    text = read_text(path)
    if DOCTYPE in text.lower():  # entities of a document type can grow without limit
        raise DataError(f"{path} declares a document type", expected="elements alone")
    try:
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise DataError(f"{path} is not XML ({error})", cause=DAMAGE) from error


def _box(path: Path, box: ElementTree.Element) -> list[float]:
    texts = [(child.text or "").strip() for child in box]
    try:
        corners = [int(text) / PIXELS for text in texts[1:]]
    except ValueError:
        corners = []
    if len(texts) != ENTRIES or len(corners) != ENTRIES - 1:
        raise DataError(f"{path} has a bbox of {texts}", expected="five entries, the last four whole pixels")
    return corners
