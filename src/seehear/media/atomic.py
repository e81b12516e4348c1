"""Writing a file whole or not at all: a temporary name in the same folder, then a rename."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from seehear.errors import StorageError


@contextlib.contextmanager
def atomic_file(path: str | Path) -> Iterator[BinaryIO]:
    """A binary file to write; it appears under `path` only when the block ends well.

    Raises:
        StorageError: where the folder is missing, read-only or full.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name[:100]}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as file:
            yield file
        os.replace(temporary, path)
    except OSError as error:
        raise StorageError(
            f"{path}: could not be written ({error.strerror or error})",
            cause="a full disk, a missing folder or no permission",
            cure=f"df -h {path.parent}",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
