"""Writing the report: whole or not at all."""

import os
from pathlib import Path

from seehear.errors import StorageError
from seehear.reports.document import document
from seehear.reports.page import Page


def write_page(page: Page, path: str | os.PathLike[str]) -> Path:
    """Write `page` as one self-contained HTML file, by a temporary file in the same folder and a rename.

    Missing parent folders are made. Returns the path.

    Raises:
        StorageError: if the file cannot be written; what stood there before is then untouched.
    """
    from seehear.media.atomic import atomic_file

    target = Path(path)
    content = document(page).encode("utf-8")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{target.parent}: no folder can be made there ({error.strerror or error})") from error
    with atomic_file(target) as file:
        file.write(content)
    return target
