"""Vectors that wait for their table: a Lance dataset beside it, filled commit by commit, in any order of rows.

A kill leaves whole commits only; each row says which clip it is, so nothing is done twice. When every clip is there,
the vectors go into the table in its order, and the dataset goes away. What an unfinished one belongs to (which rows,
which weights, how they were used) lies in its schema: it is never gone on with for anything else.

Legend: N clips, D width.
"""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from seehear.clips.lance_files import is_uri, open_dataset, storage_failures
from seehear.clips.pack_state import Skip
from seehear.errors import StorageError, UsageError
from seehear.search.columns import Embedded

_KEY = b"seehear.gathering"
_HANDED_OVER = 1024  # rows of vectors held at once on their way into the table
_SETTINGS = ("weights", "precision", "windows", "width")


@dataclass(frozen=True)
class Work:
    """What is embedded, with what.

    Attributes:
        rows: identity of the table's rows (`identity_of_rows`).
        columns: the columns to be made.
    """

    rows: str
    columns: tuple[Embedded, ...]

    @property
    def schema(self) -> pa.Schema:
        """Columns of the dataset: the clip's place in the table, its vectors by modality, why it has none."""
        fields = [pa.field("row", pa.int64(), nullable=False)]
        fields += [pa.field(column.modality, column.field.type) for column in self.columns]
        fields += [pa.field("reason", pa.string()), pa.field("detail", pa.string())]
        return pa.schema(fields, metadata={_KEY: json.dumps(asdict(self), sort_keys=True).encode()})

    def differs(self, other: "Work") -> list[str]:
        """Settings in which another work differs, in words; its rows are not compared."""
        ours, theirs = ({c.modality: c for c in work.columns} for work in (self, other))
        found = [
            f"{name} was {getattr(theirs[modality], name)!r} and is {getattr(column, name)!r}"
            for modality, column in ours.items()
            if modality in theirs
            for name in _SETTINGS
            if getattr(theirs[modality], name) != getattr(column, name)
        ]
        if ours.keys() != theirs.keys():
            found.append(f"modalities were {', '.join(theirs)} and are {', '.join(ours)}")
        return list(dict.fromkeys(found))


def identity_of_rows(dataset: Any) -> str:
    """Equal as long as a table has the same rows in the same order; added columns change nothing."""
    place = dataset.schema.names.index("id")
    facts = []
    for fragment in dataset.get_fragments():
        metadata = fragment.metadata
        own = [file.path for file in metadata.files if _holds(file, dataset, place)]
        facts.append([metadata.id, own, metadata.physical_rows, str(fragment.deletion_file() or "")])
    return hashlib.blake2b(json.dumps(facts).encode(), digest_size=16).hexdigest()


def _holds(file: Any, dataset: Any, place: int) -> bool:
    return dataset.lance_schema.fields()[place].id() in file.fields


class Gathered:
    """The vectors that are there so far.

    Args:
        uri: where the dataset is, or is to be.
        work: what it is for.
        overwrite: begin anew instead of going on with other settings.
        storage_options: settings of the object store, passed on to Lance.

    Attributes:
        uri: where it is.
        work: what it is for.
        anew: why what was there is of no use, in words; "" where there was nothing, or it is gone on with.

    Raises:
        UsageError: if what is there was begun with other settings.
        StorageError: if the disk does not take it.
    """

    def __init__(self, uri: str, work: Work, overwrite: bool, storage_options: dict[str, str] | None):
        self.uri, self.work, self.storage_options = uri, work, storage_options
        self.anew, mode = "", "create"
        self._dataset: Any = _opened(uri, storage_options)
        found = None if self._dataset is None else _work_of(self._dataset)
        if found is not None and found.rows == work.rows and not work.differs(found):
            return
        if self._dataset is not None:
            mode = "overwrite"
            self.anew = self._why_anew(found, overwrite)
        elif not is_uri(uri):
            shutil.rmtree(uri, ignore_errors=True)  # what a first commit that never ended left
        self._dataset = self._write(self.work.schema.empty_table(), mode)

    def _why_anew(self, found: Work | None, overwrite: bool) -> str:
        if found is None:
            return "vectors of another version of SeeHear"
        settings = self.work.differs(found)
        if settings and not overwrite:
            raise UsageError(
                f"{self.uri}: embedding was begun with other settings: {'; '.join(settings)}",
                expected="the same to go on",
                cure="repeat with the same settings, or --overwrite to begin anew",
            )
        return "; ".join(settings) or "the table has other rows now"

    def done(self, total: int) -> np.ndarray:
        """Which clips are there, bool `[total]`.

        Raises:
            StorageError: if a clip is there twice, or is none of the table's.
        """
        rows = self._rows()
        counts = np.bincount(rows, minlength=total)
        if len(counts) > total or (counts > 1).any():
            raise StorageError(
                f"{self.uri} holds clips twice",
                cause="two commands that embedded the same table at the same time",
                cure="end one of them and start again with --overwrite",
            )
        return counts > 0

    def _rows(self) -> np.ndarray:
        with storage_failures(self.uri):
            return self._dataset.to_table(columns=["row"])["row"].to_numpy()

    def add(self, rows: pa.Table) -> None:
        """Write some rows, all or none.

        Raises:
            StorageError: on a full disk and the like, or if another process wrote here meanwhile.
        """
        newest = _opened(self.uri, self.storage_options)
        if newest is None or newest.version != self._dataset.version:
            raise StorageError(
                f"{self.uri} was written by another process meanwhile",
                cause="two commands that embed the same table at the same time",
                cure="let one of them end, then run this command again: it goes on",
            )
        self._dataset = self._write(rows, "append")

    def _write(self, rows: pa.Table, mode: str) -> Any:
        import lance

        with storage_failures(self.uri):
            return lance.write_dataset(
                rows, self.uri, schema=self.work.schema, mode=mode, storage_options=self.storage_options
            )

    def skips(self, names: Sequence[str]) -> list[Skip]:
        """The clips without vectors that could not be decoded, in the table's order."""
        with storage_failures(self.uri):
            found = self._dataset.to_table(columns=["row", "reason", "detail"], filter="reason IS NOT NULL").to_pylist()
        found.sort(key=lambda each: each["row"])
        return [Skip(names[each["row"]], each["reason"], each["detail"]) for each in found]

    def in_order(self) -> pa.RecordBatchReader:
        """The columns of the table, row by row as the table has them."""
        places = np.argsort(self._rows(), kind="stable")
        schema = pa.schema([column.field for column in self.work.columns])
        names = [column.modality for column in self.work.columns]

        def batches() -> Iterator[pa.RecordBatch]:
            for start in range(0, len(places), _HANDED_OVER):
                with storage_failures(self.uri):
                    taken = self._dataset.take(places[start : start + _HANDED_OVER].tolist(), columns=names)
                for batch in taken.to_batches():
                    yield pa.RecordBatch.from_arrays([batch[name] for name in names], schema=schema)

        return pa.RecordBatchReader.from_batches(schema, batches())

    def remove(self) -> None:
        """Remove it; nothing where it is gone."""
        remove(self.uri, self.storage_options)


def remove(uri: str, storage_options: dict[str, str] | None) -> None:
    """Remove a dataset of vectors that are in their table; nothing where there is none."""
    import lance

    if not is_uri(uri):
        shutil.rmtree(Path(uri), ignore_errors=True)
        return
    with contextlib.suppress(ValueError), storage_failures(uri):
        lance.LanceDataset.drop(uri, storage_options=storage_options, ignore_not_found=True)


def _opened(uri: str, storage_options: dict[str, str] | None) -> Any | None:
    return open_dataset(uri, storage_options=storage_options)


def _work_of(dataset: Any) -> Work | None:
    try:
        found = json.loads((dataset.schema.metadata or {}).get(_KEY, b"null"))
        return Work(found["rows"], tuple(Embedded(**column) for column in found["columns"]))
    except (json.JSONDecodeError, TypeError, KeyError):
        return None
