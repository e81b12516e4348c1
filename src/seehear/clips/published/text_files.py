"""Text files of published lists: rows of a CSV with their line numbers, and JSON documents."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seehear.errors import DataError, StorageError

DAMAGE = "a download that was cut short, or a file of another kind"


def read_text(path: Path) -> str:
    """The text of a file, without a byte order mark.

    Raises:
        StorageError: if it cannot be read.
        DataError: if it is no UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror or error})", cure="check the name") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text ({error.reason})", cause=DAMAGE) from error


def csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of each row of a CSV; spaces after commas, empty lines and lines from # on are left out.

    Raises:
        StorageError, DataError: as `read_text`; DataError also on quotes that are not closed.
    """
    kept = ("\n" if line.startswith("#") else line for line in io.StringIO(read_text(path), newline=""))
    reader = csv.reader(kept, skipinitialspace=True, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(f"{path}, line {line} is not a row of a CSV ({error})", cause=DAMAGE) from error
        if cells:
            yield line, [cell.strip() for cell in cells]


def json_document(path: Path) -> Any:
    """The value of a JSON file.

    Raises:
        StorageError, DataError: as `read_text`; DataError also where it is no JSON.
    """
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise DataError(f"{path} is not JSON ({error})", cause=DAMAGE) from error


def seconds(text: str) -> float | None:
    """A time as a list writes it; None where it is no finite number from 0 on."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None
