"""Uploads on the disk: written piece by piece under random names, within a quota for all of them, then deleted."""

import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from seehear.errors import StorageError
from seehear.search.service.refused import RefusedError, too_many

_RETRY_SECONDS = 5


class Spool:
    """A folder of its own, for this process alone, that goes when the service ends.

    Args:
        most_bytes: of all files together.

    Raises:
        StorageError: where no temporary folder can be made.
    """

    def __init__(self, most_bytes: int):
        try:
            self.folder = Path(tempfile.mkdtemp(prefix="seehear-"))
        except OSError as error:
            raise StorageError(
                f"no temporary folder: {error.strerror}", cure="set TMPDIR to a folder with room"
            ) from error
        self._most, self._held = most_bytes, 0
        self._lock = threading.Lock()

    @property
    def held_bytes(self) -> int:
        """Of all files that are there."""
        return self._held

    @contextmanager
    def file(self) -> Iterator["Spooled"]:
        """A new file, deleted at the end."""
        spooled = Spooled(self, self.folder / secrets.token_hex(16))
        try:
            yield spooled
        finally:
            spooled.delete()

    def claim(self, count: int) -> None:
        """Take so many bytes of the quota.

        Raises:
            RefusedError: 429 where too many others are there.
        """
        with self._lock:
            if self._held + count > self._most:
                raise too_many("spool-full", "the place for uploads is full", _RETRY_SECONDS)
            self._held += count

    def release(self, count: int) -> None:
        """Give them back."""
        with self._lock:
            self._held -= count

    def close(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Spooled:
    """One file in the spool; nobody else can read it.

    Attributes:
        path: where it is.
        size: bytes written.
    """

    def __init__(self, spool: Spool, path: Path):
        self.path, self.size, self._spool = path, 0, spool
        self._file: BinaryIO = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def write(self, data: bytes) -> None:
        """Append.

        Raises:
            RefusedError: 429 where the quota is used up, 507 where the disk is full.
        """
        self._spool.claim(len(data))
        self.size += len(data)
        try:
            self._file.write(data)
        except OSError as error:
            raise _full() from error

    def finish(self) -> None:
        """All is written.

        Raises:
            RefusedError: 507 where the disk is full.
        """
        try:
            self._file.close()
        except OSError as error:
            raise _full() from error

    def delete(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)
        self._spool.release(self.size)
        self.size = 0


def _full() -> RefusedError:
    return RefusedError(
        507, "disk-full", "the upload could not be stored", cure="free some disk where the service runs"
    )
