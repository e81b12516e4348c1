"""The record of a run: JSON lines in its folder.

`metrics.jsonl` and `samples.jsonl` hold no clock; a resume cuts them back to the length they had at the checkpoint, so
that they end as those of an unbroken run, bit for bit. `figures.jsonl` has one line per evaluation. `timing.jsonl` and
`events.jsonl` tell what happened when. `step` is everywhere the number of steps done; line `step` of samples.jsonl
holds the batch that made it so.
"""

import json
import math
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from seehear.contracts import Figure
from seehear.errors import StorageError

EXACT = ("metrics.jsonl", "samples.jsonl")
KEPT = ("timing.jsonl", "events.jsonl")
FIGURES = "figures.jsonl"


class RunLogs:
    """Writes the logs of one run; on ranks other than the first, writes nothing.

    Args:
        folder: of the run.
        writes: whether this process writes.

    Raises:
        StorageError: if the folder cannot be written.
    """

    def __init__(self, folder: Path, writes: bool = True):
        self._folder, self._writes = folder, writes
        self._files: dict[str, BinaryIO] = {}
        if writes:
            try:
                self._files = {name: (folder / name).open("ab") for name in (*EXACT, *KEPT, FIGURES)}
            except OSError as error:
                raise storage_error(error, folder) from error

    def metrics(self, step: int, epoch: float, values: Mapping[str, float]) -> None:
        """A line of metrics.jsonl; a value that is not finite becomes null."""
        finite = {name: value if math.isfinite(value) else None for name, value in values.items()}
        self._write("metrics.jsonl", {"step": step, "epoch": epoch, **finite})

    def samples(self, step: int, ids: Iterable[int], replacements: Iterable[Mapping[str, Any]]) -> None:
        """A line of samples.jsonl."""
        self._write("samples.jsonl", {"step": step, "ids": list(ids), "replacements": list(replacements)})

    def figures(self, step: int, epoch: float, figures: Iterable[Figure]) -> None:
        """A line of figures.jsonl: all figures of one evaluation."""
        self._write(FIGURES, {"step": step, "epoch": epoch, "figures": [vars(f) for f in figures]})
        self.flush()

    def timing(self, step: int, **values: float) -> None:
        """A line of timing.jsonl."""
        self._write("timing.jsonl", {"step": step, "time": round(time.time(), 3), **values})

    def event(self, event: str, step: int, **values: Any) -> None:
        """A line of events.jsonl, on disk when this returns."""
        self._write("events.jsonl", {"event": event, "step": step, "time": round(time.time(), 3), **values})
        self.flush()

    def _write(self, name: str, line: Mapping[str, Any]) -> None:
        if self._writes:
            self._guarded(lambda: self._files[name].write(json.dumps(line).encode() + b"\n"))

    def flush(self) -> None:
        """Hand everything to the operating system."""
        for file in self._files.values():
            self._guarded(file.flush)

    def settle(self) -> dict[str, int]:
        """Put everything on the disk; returns the lengths of the exact logs in bytes, for the checkpoint."""
        self.flush()
        for name in EXACT:
            if self._writes:
                self._guarded(lambda file=self._files[name]: os.fsync(file.fileno()))
        return {name: self._files[name].tell() for name in EXACT} if self._writes else {}

    def cut_back(self, lengths: Mapping[str, int], step: int) -> list[str]:
        """Cut the exact logs to the given lengths (0 if not given) and drop evaluations after `step`.

        Returns:
            the names of logs that were shorter than that: someone else cut them.
        """
        if not self._writes:
            return []
        short = [name for name in EXACT if (self._folder / name).stat().st_size < lengths.get(name, 0)]
        for name in EXACT:
            if name not in short:
                self._files[name].truncate(lengths.get(name, 0))
        lines = [
            json.dumps(line).encode() + b"\n" for line in read_lines(self._folder / FIGURES) if line["step"] <= step
        ]
        self._files[FIGURES].truncate(0)
        self._files[FIGURES].write(b"".join(lines))
        self.flush()
        return short

    def close(self) -> None:
        """Close all files."""
        for file in self._files.values():
            self._guarded(file.close)

    def _guarded(self, function: Any) -> None:
        try:
            function()
        except OSError as error:
            raise storage_error(error, self._folder) from error


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a JSON-lines file; a torn last line is left out, a missing file has none.

    Raises:
        StorageError: if another line is damaged.
    """
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")
    whole = lines[:-1]  # what follows the last newline is torn, or nothing
    try:
        return [json.loads(line) for line in whole]
    except ValueError as error:
        raise StorageError(f"{path} holds a line that is not JSON", cure="move the file away") from error


def read_figures(folder: Path, step: int) -> tuple[Figure, ...] | None:
    """The figures measured at `step`, or None if there was no evaluation."""
    found = [line for line in read_lines(folder / FIGURES) if line["step"] == step]
    return tuple(Figure(**figure) for figure in found[-1]["figures"]) if found else None


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file whole or not at all.

    Raises:
        StorageError: if the disk does not take it.
    """
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        temporary.write_text(json.dumps(content, indent=1))
        temporary.replace(path)
    except OSError as error:
        raise storage_error(error, path) from error


def storage_error(error: OSError, path: Path) -> StorageError:
    """The error for a disk that does not take what is written to it."""
    return StorageError(
        f"cannot write {path}: {error.strerror or error}",
        cause="the disk is full, read-only or damaged",
        cure="free space or choose another folder, then start the same command again",
    )
