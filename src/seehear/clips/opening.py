"""Opening whatever holds clips: a table, or a folder of media."""

from pathlib import Path
from typing import TYPE_CHECKING

from seehear.clips.lance_files import looks_like_table, text_of
from seehear.errors import UsageError

if TYPE_CHECKING:
    from seehear.clips.folder import FolderClips
    from seehear.clips.table import TableClips


def open(
    path_or_uri: str | Path,
    *,
    version: int | None = None,
    manifest: str | Path | None = None,
    partial: bool = False,
    storage_options: dict[str, str] | None = None,
    workers: int | None = None,
) -> "TableClips | FolderClips":
    """The clips of a Lance table (a path or an object-store URI), or of a folder of media.

    Args:
        path_or_uri: where they are.
        version: version of the table; None for the newest.
        manifest: manifest of the folder; by default `manifest.*` in it or in its immediate subfolders.
        partial: read a table whose packing has not ended.
        storage_options: settings of the object store, passed on to Lance.
        workers: decoding processes for a folder; None for one per core.

    Raises:
        StorageError: on a table that is missing, damaged, unfinished or of another format; the message names the
            field that differs.
        DataError: on a folder that is missing or has no usable media.
        UsageError: on options that do not belong to what is opened.
    """
    if looks_like_table(path_or_uri):
        from seehear.clips.table import TableClips

        if manifest is not None:
            raise UsageError(f"{text_of(path_or_uri)} is a table and has no manifest", cure="leave it out")
        return TableClips(path_or_uri, version, partial=partial, storage_options=storage_options)
    from seehear.clips.folder import FolderClips

    if version is not None or partial:
        raise UsageError(f"{text_of(path_or_uri)} is not a table and has no versions", cure="leave the version out")
    return FolderClips(path_or_uri, manifest, workers=workers)
