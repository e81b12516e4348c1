"""One process at a time: a lock on a file that the operating system gives back however the process ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from seehear.errors import StorageError, UsageError


@contextmanager
def alone(path: Path, doing: str) -> Iterator[None]:
    """Hold the lock file `path` while the block runs; it is removed at the end.

    Args:
        path: the lock file.
        doing: what is done, for the message to who comes second.

    Raises:
        UsageError: if another process holds it.
        StorageError: if it cannot be made.
    """
    descriptor = _locked(path, doing)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        os.close(descriptor)


def _locked(path: Path, doing: str) -> int:
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StorageError(f"{path}: {error.strerror}", expected="a folder that can be written") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise UsageError(
                f"another process is {doing}", expected="one at a time", cure="wait for it, then run this again"
            ) from error
        if _is_same(path, descriptor):
            return descriptor
        os.close(descriptor)  # the holder before removed the file between the two calls


def _is_same(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
