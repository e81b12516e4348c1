"""A finished world as exporters see it: its classes and the records of its splits; refuses any other folder."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seehear.errors import DataError, StorageError
from seehear.world.disk import datasheet, manifest


@dataclass(frozen=True)
class World:
    """`labels` in order; `records` of every split, in the order of the manifest; `kind` that was asked for."""

    root: Path
    kind: str
    labels: tuple[str, ...]
    records: dict[str, list[dict[str, Any]]]

    def without(self, what: str) -> DataError:
        """The error where no clip has what the format holds."""
        return DataError(f"no clip of {self.root} has {what}", expected=f"some, for the format {self.kind!r}")


def opened(root: Path, kind: str) -> World:
    """The world in a folder, for the export to `kind`.

    Raises:
        StorageError: if it is not there, not finished, or lacks a manifest.
    """
    sheet = datasheet.read(root)
    if sheet is None:
        raise StorageError(
            f"{root} is no world to export to {kind!r}: it has no {datasheet.DATASHEET}",
            cure=f"seehear world {root}",
        )
    if not sheet.get("complete"):
        raise StorageError(
            f"the world in {root} is not finished, so it cannot be exported to {kind!r}",
            cause="its build was stopped",
            cure="start the same build again",
        )
    records = {split: manifest.read(root / split / manifest.MANIFEST) for split in sheet["preset"]["clips"]}
    for split, found in records.items():
        if len(found) != sheet["preset"]["clips"][split]:
            raise StorageError(
                f"{root / split / manifest.MANIFEST} has {len(found)} clips",
                expected=f"{sheet['preset']['clips'][split]}, to be exported to {kind!r}",
                cure="start the same build again",
            )
    return World(root, kind, _labels(root, kind), records)


def _labels(root: Path, kind: str) -> tuple[str, ...]:
    path = root / datasheet.CLASSES
    try:
        return tuple(item["name"] for item in json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise StorageError(
            f"{path}, needed to export to {kind!r}, cannot be read ({error})", cure=f"delete {root} and build again"
        ) from error


@contextmanager
def storage(out: Path) -> Iterator[None]:
    """Turn what the system says about writing into `out` into an error for a person.

    Raises:
        StorageError: in place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(f"{out} cannot be written ({error.strerror or error})", expected="a folder") from error
