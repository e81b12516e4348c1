"""Manifests: what is known of the files of a folder, as CSV, JSON lines or Parquet.

One row is one file, or one stretch of a file. Columns (any case, any order; only the file is required):
`file` (also `path`, `filename`, `video`), `id`, `split`, `labels` or `label` (a list, or text separated by ; or |),
`caption`, `start_seconds`, `end_seconds` or `duration_seconds`, `truth` (an object, or its JSON text),
`truth_arrays` (an .npz file). Further columns are kept in `truth` under their own names.
"""

import csv
import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seehear.errors import DataError, StorageError, UsageError

FILE_COLUMNS = ("file", "path", "filename", "video")
SUFFIXES = (".csv", ".jsonl", ".parquet")
_KNOWN = {*FILE_COLUMNS, "id", "split", "labels", "label", "caption", "start_seconds", "end_seconds"}
_KNOWN |= {"duration_seconds", "truth", "truth_arrays"}


@dataclass(frozen=True)
class Entry:
    """One file of a folder, or one stretch of it, with what its manifest says.

    Attributes:
        path: the file.
        name: the file relative to the folder: its id where none is given.
        id: as given, or "".
        split: as given, or "".
        labels: class names.
        caption: text, or "".
        start_seconds: where the stretch begins; None for the whole file.
        duration_seconds: its length; None for "to the end".
        truth: whatever else is known.
        truth_arrays: an .npz file, or "".
    """

    path: str
    name: str
    id: str = ""
    split: str = ""
    labels: tuple[str, ...] = ()
    caption: str = ""
    start_seconds: float | None = None
    duration_seconds: float | None = None
    truth: dict[str, Any] = field(default_factory=dict)
    truth_arrays: str = ""


def find(folder: Path) -> list[Path]:
    """The manifest of a folder, or those of its immediate subfolders, sorted; none is fine.

    Raises:
        UsageError: if one folder has several.
    """
    for places in ([folder], sorted(p for p in folder.iterdir() if p.is_dir())):
        found = [manifest for place in places for manifest in _in(place)]
        if found:
            return found
    return []


def _in(place: Path) -> list[Path]:
    found = [p for suffix in SUFFIXES if (p := place / f"manifest{suffix}").is_file()]
    if len(found) > 1:
        raise UsageError(f"{place} has {len(found)} manifests", expected="one", cure="name the one with --manifest")
    return found


def read(manifest: Path, folder: Path) -> list[Entry]:
    """The rows of a manifest.

    Files are looked up beside the manifest, then in `folder`. In a subfolder's manifest the subfolder's name is the
    split of rows that name none.

    Raises:
        UsageError: if the manifest is of another kind.
        DataError: if a row cannot be understood; the message names the row and the column.
        StorageError: if the manifest cannot be read.
    """
    suffix = manifest.suffix.lower()
    if suffix not in _READERS:
        raise UsageError(f"{manifest} is a manifest of kind {suffix!r}", expected=", ".join(SUFFIXES))
    try:
        rows = list(_READERS[suffix](manifest))
    except OSError as error:
        raise StorageError(f"{manifest} cannot be read ({error})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{manifest} is not UTF-8 text in rows and columns ({error})") from error
    if not rows:
        raise DataError(f"{manifest} has no rows", expected="one row for each clip")
    _refuse_without_file(rows[0], manifest)
    split = manifest.parent.name if manifest.parent.resolve().parent == folder.resolve() else ""
    return [_entry(row, f"{manifest}, row {i + 1}", manifest.parent, folder, split) for i, row in enumerate(rows)]


def _refuse_without_file(row: dict[str, Any], manifest: Path) -> None:
    if not any(name in row for name in FILE_COLUMNS):
        raise DataError(
            f"{manifest} has the columns {', '.join(row)}",
            expected=f"one that names the file: {', '.join(FILE_COLUMNS)}",
            cause="a manifest without a heading, or with other names",
        )


# ------------------------------------------------------------------------------------------------ kinds of manifests
def _read_csv(path: Path) -> Iterable[dict[str, Any]]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file, restkey="", skipinitialspace=True):
            if "" in row:
                raise DataError(f"{path}: a row has more fields than there are columns", cure="quote text with commas")
            yield _named(row)


def _read_jsonl(path: Path) -> Iterable[dict[str, Any]]:
    with open(path, encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _named(_json_object(line, f"{path}, line {number}"))


def _read_parquet(path: Path) -> Iterable[dict[str, Any]]:
    import pyarrow
    from pyarrow import parquet

    try:
        rows = parquet.read_table(path).to_pylist()
    except pyarrow.ArrowInvalid as error:
        raise DataError(f"{path} is not a Parquet file ({error})") from error
    return [_named(row) for row in rows]


_READERS: dict[str, Callable[[Path], Iterable[dict[str, Any]]]] = {
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}


def _named(row: dict[Any, Any]) -> dict[str, Any]:
    """A row without empty values; known columns in any case."""
    plain = {str(key).strip(): value for key, value in row.items() if value is not None and value != ""}
    return {key.lower() if key.lower() in _KNOWN else key: value for key, value in plain.items()}


def _json_object(text: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{where} is not JSON ({error})") from error
    if not isinstance(value, dict):
        raise DataError(f"{where} is a {type(value).__name__}", expected="a JSON object")
    return value


# ------------------------------------------------------------------------------------------------- a row to an entry
def _entry(row: dict[str, Any], where: str, beside: Path, folder: Path, split: str) -> Entry:
    given = next((str(row[name]) for name in FILE_COLUMNS if name in row), None)
    if given is None:
        raise DataError(f"{where} names no file", expected=f"a value under {', '.join(FILE_COLUMNS)}")
    path = _located(given, beside, folder)
    known = described(row, where, split)
    arrays = row.get("truth_arrays", "")
    return replace(
        known,
        path=str(path),
        name=name_of(path, folder),
        truth_arrays=str(_located(str(arrays), beside, folder)) if arrays else "",
    )


def described(row: dict[str, Any], where: str, split: str = "") -> Entry:
    """What a row says of a clip, but not which file it is.

    Args:
        row: values by column.
        where: the row, for messages.
        split: the split where the row names none.

    Raises:
        DataError: if a value cannot be understood.
    """
    row = _named(row)
    start, duration = _stretch(row, where)
    return Entry(
        path="",
        name="",
        id=printable(str(row.get("id", ""))),
        split=printable(str(row.get("split", split))),
        labels=_labels(row.get("labels", row.get("label")), where),
        caption=printable(str(row.get("caption", ""))),
        start_seconds=start,
        duration_seconds=duration,
        truth=_truth(row, where),
    )


def _located(given: str, beside: Path, folder: Path) -> Path:
    """The file that a manifest names; where there is none, where it should be."""
    return next((p for p in (beside / given, folder / given) if p.exists()), beside / given)


def name_of(path: Path, folder: Path) -> str:
    """The name of a file within a folder, with / on every system."""
    try:
        return printable(path.relative_to(folder).as_posix())
    except ValueError:
        return printable(path.as_posix())


def printable(text: str) -> str:
    """Text that every format can hold: bytes of names that are not UTF-8 become \\xNN, halves of characters \\uNNNN."""
    return re.sub("[\ud800-\udfff]", lambda found: _escaped(ord(found[0])), text)


def _escaped(code: int) -> str:
    return f"\\x{code & 0xFF:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def _stretch(row: dict[str, Any], where: str) -> tuple[float | None, float | None]:
    start, end, duration = (_seconds(row, name, where) for name in ("start_seconds", "end_seconds", "duration_seconds"))
    if end is not None:
        duration = end - (start or 0.0)
    if (start or 0.0) < 0 or (duration is not None and duration <= 0):
        raise DataError(f"{where} starts at {start} s and lasts {duration} s", expected="a stretch of positive length")
    return start, duration


def _seconds(row: dict[str, Any], name: str, where: str) -> float | None:
    if name not in row:
        return None
    try:
        value = float(row[name])
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{where}: {name} is {row[name]!r}", expected="a number of seconds")
    return value


def _labels(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        value = re.split(r"[;|]", value)
    if not isinstance(value, list):
        value = [value]
    if not all(isinstance(label, str | int) for label in value):
        raise DataError(f"{where}: labels are {value!r}", expected="names, or text separated by ; or |")
    return tuple(dict.fromkeys(text for label in value if (text := printable(str(label)).strip())))


def _truth(row: dict[str, Any], where: str) -> dict[str, Any]:
    """The truth column and every column that has no meaning of its own."""
    given = row.get("truth", {})
    if isinstance(given, str):
        given = _json_object(given, f"{where}, column truth")
    if not isinstance(given, dict):
        raise DataError(f"{where}: truth is a {type(given).__name__}", expected="an object, or its JSON text")
    return {key: value for key, value in row.items() if key not in _KNOWN} | given
