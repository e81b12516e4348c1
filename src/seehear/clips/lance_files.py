"""Opening Lance datasets, with Lance's failures as typed errors. Lance is imported on first use."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seehear.errors import StorageError


def is_uri(text: str) -> bool:
    """Whether a table is named by an object-store URI, not by a path."""
    return "://" in text


def text_of(path_or_uri: str | Path) -> str:
    """A path or URI as Lance takes it."""
    return os.fsdecode(path_or_uri)


def looks_like_table(path_or_uri: str | Path) -> bool:
    """Whether there is, or by its name should be, a Lance table."""
    text = text_of(path_or_uri)
    return is_uri(text) or text.rstrip("/").endswith(".lance") or Path(text, "_versions").is_dir()


def open_dataset(
    path_or_uri: str | Path, version: int | None = None, storage_options: dict[str, str] | None = None
) -> Any | None:
    """The dataset, or None where there is none.

    Raises:
        StorageError: if it is damaged, of a newer Lance format, out of reach, or has no such version.
    """
    import lance

    text = text_of(path_or_uri)
    if not is_uri(text) and Path(text).is_file():
        return None
    with storage_failures(text):
        try:
            return lance.dataset(text, version=version, storage_options=storage_options)
        except ValueError as error:
            if "not found" not in str(error).lower():
                raise
            if version is None:
                return None
            raise StorageError(
                f"{text} has no version {version}",
                cause="the version was cleaned up, or the table was packed anew",
                cure="name another version, or none for the newest",
            ) from error


@contextlib.contextmanager
def storage_failures(where: str) -> Iterator[None]:
    """Turn what Lance and Arrow raise into a `StorageError` that names the table."""
    import pyarrow

    try:
        yield
    except (OSError, ValueError, RuntimeError, NotImplementedError, pyarrow.ArrowException) as error:
        found = str(error).split(", /")[0].strip() or type(error).__name__  # without places in Lance's own source
        full = "os error 28" in found or "No space left" in found
        raise StorageError(
            f"{where}: {found}",
            cause="the disk is full" if full else "a damaged or newer table, or a disk or store out of reach",
            cure="free some space and run the same command again" if full else "seehear pack FOLDER TABLE --overwrite",
        ) from error
