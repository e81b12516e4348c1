"""A run folder serves one live process: a lock file with its process id.

The file stays when the lock is given back (emptied), so that no two processes can ever hold locks on two files of one
name. A lock whose process is gone is stale and taken over. Limits: a process on another machine cannot be looked up
and counts as live.
"""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from seehear.errors import UsageError
from seehear.training.logs import storage_error

LOCK = "run.lock"


@contextmanager
def run_lock(folder: Path) -> Iterator[bool]:
    """Hold the lock of a run folder; yields whether a stale one was taken over.

    Raises:
        UsageError: if another live process holds it.
        StorageError: if the folder cannot be written.
    """
    path = folder / LOCK
    with _alone(path) as file:
        holder = _parse(file.read())
        if holder and _alive(holder):
            raise UsageError(
                f"the run folder {folder} is in use by process {holder['pid']} on {holder['host']}",
                expected="one process per run folder",
                cure=f"wait for it or choose another folder; if it is surely gone, delete {path}",
            )
        _replace(file, json.dumps(_identity(os.getpid())))
    try:
        yield bool(holder)
    finally:
        with _alone(path) as file:
            _replace(file, "")


@contextmanager
def _alone(path: Path) -> Iterator[IO[str]]:
    """The lock file, open for reading and writing while no other process looks at it."""
    try:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+")
    except OSError as error:
        raise storage_error(error, path) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _replace(file: IO[str], text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)


def _parse(text: str) -> dict[str, Any]:
    """What the lock says; nothing where it is empty or torn."""
    try:
        return json.loads(text)
    except ValueError:
        return {}


def _identity(pid: int) -> dict[str, Any]:
    return {"pid": pid, "host": socket.gethostname(), "started": _start_ticks(pid)}


def _alive(holder: dict[str, Any]) -> bool:
    """Whether the holder's process still runs; a reused process id shows by its start time."""
    if holder["host"] != socket.gethostname():
        return True
    try:
        os.kill(holder["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return holder["started"] == _start_ticks(holder["pid"])


def _start_ticks(pid: int) -> int:
    """Start time of a process in clock ticks since boot; 0 where the system does not tell, -1 if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return -1 if fields[0] == "Z" else int(fields[19])
