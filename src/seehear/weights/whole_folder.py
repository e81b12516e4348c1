"""Writing a folder whole or not at all: a temporary name beside it, then a rename."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seehear.errors import StorageError


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into; it appears under its name only when the block ends well.

    Raises:
        StorageError: if there is something already (see `refuse_full`), or the disk does not take it.
    """
    refuse_full(folder)
    folder = folder.absolute()
    temporary = folder.with_name(f".{folder.name}.saving")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        yield temporary
        if folder.exists():
            folder.rmdir()
        temporary.rename(folder)
    except OSError as error:
        raise StorageError(
            f"{folder}: could not be written ({error.strerror or error})",
            cause="a full disk or no permission",
            cure=f"df -h {folder.parent}",
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def refuse_full(folder: Path) -> None:
    """Accept a new or empty folder.

    Raises:
        StorageError: if it holds something, or is a file.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StorageError(f"{folder} exists", expected="a new or empty folder", cure="another name")
