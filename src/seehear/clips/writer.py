"""Writing a clip table commit by commit, each with the state of the packing, so that a kill leaves whole rows only."""

import dataclasses
import hashlib
import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

from seehear.clips.feed import Feed, Packed
from seehear.clips.lance_files import is_uri, open_dataset, storage_failures, text_of
from seehear.clips.pack_state import SKIPS_KEY, STATE_KEY, PackState, Skip, skips_of, state_of
from seehear.clips.schema import Row, check_schema, schema, to_table
from seehear.errors import StorageError, UsageError

_FIRST_ROWS, _MOST_ROWS = 32, 4096  # rows of a commit: an eighth of the table so far, within these
_MOST_BYTES = 256 * 1024 * 1024
_LANCE_NAMES = frozenset({"data", "_versions", "_transactions", "_deletions", "_indices", "_refs"})


class TableWriter:
    """A clip table that is being packed.

    Args:
        table: a path or an object-store URI.
        feed: what is packed: its settings must equal those of a packing that is gone on with.
        overwrite: put the new rows in place of a finished table, or of another packing. Older versions stay readable
            until Lance cleans them up.
        storage_options: settings of the object store, passed on to Lance.

    Attributes:
        state: how far the packing is.

    Raises:
        UsageError: if there is something else already; the message names the setting that differs.
        StorageError: if the table cannot be read.
    """

    def __init__(self, table: str | Path, feed: Feed, overwrite: bool, storage_options: dict[str, str] | None):
        self.uri = text_of(table)
        self._columns, self._storage_options = schema(feed.blobs), storage_options
        self._dataset: Any = open_dataset(table, storage_options=storage_options)
        self._rows: list[Row] = []
        self._skips: list[Skip] = []
        self._bytes = 0
        self.state = PackState(feed.settings)
        self._mode = "create"
        if self._dataset is None:
            self._clear_place()
            return
        found = self._earlier(feed, overwrite)
        if found is not None:
            self.state, self._mode = found, "append"
        else:
            self._mode = "overwrite"
            self.state = dataclasses.replace(self.state, first_version=self._dataset.version + 1)

    def _earlier(self, feed: Feed, overwrite: bool) -> PackState | None:
        """The state to go on from; None to begin anew."""
        with storage_failures(self.uri):
            found = state_of(self._dataset)
        same = found is not None and found.settings == feed.settings
        if found is not None and same and not (found.complete and overwrite):
            check_schema(self._dataset.schema, self.uri)
            if not found.complete:
                self._remove_remains()
            return found
        if not overwrite:
            raise _exists(self.uri, found, feed.settings)
        return None

    @property
    def skips(self) -> list[Skip]:
        """All files and clips skipped so far, also by earlier runs of the same packing."""
        with storage_failures(self.uri):
            committed = [] if self.state.clips == 0 else skips_of(self._dataset, self.state)
        return committed + self._skips

    @property
    def dataset(self) -> Any:
        """The table as it was written last."""
        return self._dataset

    def add(self, packed: Packed) -> None:
        """Take a row or a skip; rows are committed when enough are together.

        Raises:
            StorageError: if the table cannot be written.
        """
        state = self.state
        changes: dict[str, Any] = {"next_file": packed.file, "next_clip": packed.clip + 1}
        if packed.skip is not None:
            self._skips.append(packed.skip)
            changes["skipped"] = state.skipped + 1
        if packed.row is not None:
            chained = bytes.fromhex(state.content) + packed.row.digest()
            changes["content"] = hashlib.blake2b(chained, digest_size=16).hexdigest()
            changes["clips"] = state.clips + 1
            self._rows.append(packed.row)
            self._bytes += packed.row.stored_bytes
        self.state = dataclasses.replace(state, **changes)
        due = min(max(_FIRST_ROWS, (self.state.clips - len(self._rows)) // 8), _MOST_ROWS)
        if len(self._rows) >= due or self._bytes >= _MOST_BYTES:
            self.commit()

    def commit(self) -> None:
        """Write the rows that wait, all or none, with the state.

        Raises:
            StorageError: on a full disk and the like, or if another process wrote to the table meanwhile.
        """
        if not self._rows:
            return
        import lance

        self._refuse_others()
        skips = json.dumps([dataclasses.asdict(skip) for skip in self._skips])
        try:
            with storage_failures(self.uri):
                self._dataset = lance.write_dataset(
                    to_table(self._rows, self._columns),
                    self.uri,
                    schema=self._columns,
                    mode=self._mode,
                    storage_options=self._storage_options,
                    transaction_properties={STATE_KEY: self.state.to_json(), SKIPS_KEY: skips},
                )
        except StorageError:
            if self._dataset is None:
                self._clear_place()
            raise
        self._mode, self._rows, self._skips, self._bytes = "append", [], [], 0

    def finish(self) -> None:
        """Commit what waits and mark the table complete.

        Raises:
            StorageError: if the table cannot be written.
        """
        self.commit()
        self.state = dataclasses.replace(self.state, complete=True)
        tail = json.dumps([dataclasses.asdict(skip) for skip in self._skips])
        with storage_failures(self.uri):
            self._dataset.update_config({STATE_KEY: self.state.to_json(), SKIPS_KEY: tail})
        self._skips = []

    def _refuse_others(self) -> None:
        """Two packings of one table would mix their rows."""
        newest = open_dataset(self.uri, storage_options=self._storage_options)
        expected = None if self._dataset is None else self._dataset.version
        if (None if newest is None else newest.version) != expected:
            raise StorageError(
                f"{self.uri} was written by another process meanwhile",
                expected=f"version {expected}",
                cause="two packings into one table at the same time",
                cure="let one of them end, then run this command again",
            )

    def _remove_remains(self) -> None:
        """Remove files of a commit that a kill interrupted; nothing that belongs to any version."""
        with storage_failures(self.uri):
            self._dataset.cleanup_old_versions(older_than=timedelta(days=36_500), delete_unverified=True)

    def _clear_place(self) -> None:
        """Remove what a commit that never ended left where the table is to be; refuse anything else there.

        Raises:
            UsageError: if there is something that is not such a remainder.
        """
        place = Path(self.uri)
        if is_uri(self.uri) or not place.exists():
            return
        if not place.is_dir() or not {p.name for p in place.iterdir()} <= _LANCE_NAMES:
            raise UsageError(f"{place} exists and is not a table", cure="name a new path, best ending in .lance")
        shutil.rmtree(place)


def _exists(uri: str, found: PackState | None, settings: dict[str, Any]) -> UsageError:
    if found is None:
        return UsageError(f"{uri} exists and was not made by `seehear pack`", cure="name another path, or --overwrite")
    keys = sorted(settings.keys() | found.settings.keys())
    differing = [key for key in keys if settings.get(key) != found.settings.get(key)]
    changes = ", ".join(f"{key} was {found.settings.get(key)!r} and is {settings.get(key)!r}" for key in differing)
    return UsageError(
        f"{uri} was packed with other settings: {changes}",
        expected="the same to go on, or to leave it as it is",
        cure="repeat with the same settings, name another path, or --overwrite",
    )
