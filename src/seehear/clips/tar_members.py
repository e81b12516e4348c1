"""The samples of a WebDataset shard: members of a tar with one key, read one sample at a time, never unpacked to disk.

A tar is a stranger's: links, devices and sparse files are refused, and so are names that leave their folder, headers
and members over their limits, and sizes that run backwards. Only regular members are read, by their place in the file.
"""

import os
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from seehear.clips.manifest import printable
from seehear.clips.webdataset_names import split_name
from seehear.errors import MediaError, SkipReason
from seehear.media import Limits
from seehear.media.limits import MEBIBYTE

_HEADER_BYTES = MEBIBYTE  # of one extended header
_MOST_MEMBERS = 4096  # of one sample


@dataclass
class Sample:
    """One sample of a shard.

    Attributes:
        key: what its members' names begin with.
        extensions: of all its members, in the tar's order.
        members: bytes by extension, of those that were to be read.
        error: why the sample cannot be used.
    """

    key: str
    extensions: tuple[str, ...] = ()
    members: dict[str, bytes] = field(default_factory=dict)
    error: MediaError | None = None


@dataclass(frozen=True)
class _Member:
    extension: str
    offset: int
    size: int
    problem: MediaError | None


def samples(shard: Path, limits: Limits, wanted: Callable[[str], bool]) -> Iterator[Sample]:
    """The samples of a shard, in its order; the last one may stand for a damaged rest of the shard (key "").

    Args:
        shard: an uncompressed tar.
        limits: on the size of a sample (`file_bytes`, and half of `resident_bytes`).
        wanted: whether to read members with an extension.
    """
    try:
        with open(shard, "rb") as file:
            key, members = "", []
            for name, member in _members(file):
                if members and (name != key or isinstance(member, MediaError)):
                    yield _sample(file, key, members, limits, wanted)
                    members = []
                key = name
                if isinstance(member, MediaError):
                    yield Sample("", error=member)
                elif len(members) <= _MOST_MEMBERS:
                    members.append(member)
            if members:
                yield _sample(file, key, members, limits, wanted)
    except OSError as error:
        yield Sample("", error=MediaError(SkipReason.UNREADABLE, error.strerror or str(error)))


class _Headers:
    """The file as `tarfile` sees it: it reads headers only."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self.name = getattr(file, "name", "")

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes, and never more than a header has."""
        if not 0 <= size <= _HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self._file.read(size)

    def seek(self, place: int, whence: int = 0) -> int:
        """As of the file."""
        return self._file.seek(place, whence)

    def tell(self) -> int:
        """As of the file."""
        return self._file.tell()


def _members(file: BinaryIO) -> Iterator[tuple[str, _Member | MediaError]]:
    """Key and place of every member but folders; at the end, where there is one, what is wrong with the rest."""
    headers: Any = _Headers(file)
    before = -1
    try:
        with tarfile.TarFile(fileobj=headers, mode="r", errorlevel=2) as tar:
            while (info := tar.next()) is not None:
                if info.size < 0 or tar.offset <= before:
                    raise tarfile.ReadError("sizes that run backwards")
                before = tar.offset
                tar.members = []  # type: ignore[attr-defined] (it would keep them all)
                if not info.isdir():
                    key, extension = split_name(printable(info.name))
                    yield key, _Member(extension, info.offset_data, info.size, _problem(info, key))
            file.seek(tar.offset)
            mark = file.read(tarfile.BLOCKSIZE)
            if len(mark) < tarfile.BLOCKSIZE or any(mark):
                raise tarfile.ReadError("no mark of its end")
    except (tarfile.TarError, EOFError, OverflowError, ValueError) as error:
        cause = "an interrupted download, or a compressed tar"
        yield "", MediaError(SkipReason.TRUNCATED, f"the tar is damaged from here on: {error}", cause=cause)


def _problem(info: tarfile.TarInfo, key: str) -> MediaError | None:
    kind = "a link" if info.issym() or info.islnk() else "a sparse file" if info.issparse() else "a device"
    if not info.isreg() or info.issparse():
        return MediaError(SkipReason.UNSUPPORTED, f"{kind} in a tar", expected="regular files")
    if os.path.isabs(key) or ".." in key.split("/") or any(ord(letter) < 32 for letter in key):
        return MediaError(SkipReason.UNSUPPORTED, "a name that leaves its folder", expected="plain names")
    return None


def _sample(file: BinaryIO, key: str, members: list[_Member], limits: Limits, wanted: Callable[[str], bool]) -> Sample:
    extensions = tuple(member.extension for member in members)
    try:
        for member in members:
            if member.problem is not None:
                raise member.problem
        taken = [member for member in members if wanted(member.extension)]
        _check_sizes(members, taken, limits)
        return Sample(key, extensions, {member.extension: _read(file, member) for member in taken})
    except MediaError as error:
        return Sample(key, extensions, error=error)


def _check_sizes(members: list[_Member], taken: list[_Member], limits: Limits) -> None:
    if len(members) > _MOST_MEMBERS:
        raise MediaError(SkipReason.OVER_LIMIT, "members of one key", expected=f"at most {_MOST_MEMBERS}")
    size, most = sum(member.size for member in taken), limits.resident_bytes // 2
    if size > most:
        raise MediaError(SkipReason.OVER_LIMIT, f"a sample of {size:,} bytes", expected=f"at most {most:,}")
    for member in taken:
        limits.check("file_bytes", member.size, "")


def _read(file: BinaryIO, member: _Member) -> bytes:
    place = file.tell()
    try:
        file.seek(member.offset)
        data = file.read(member.size)
    finally:
        file.seek(place)
    if len(data) != member.size:
        raise MediaError(SkipReason.TRUNCATED, f"{len(data):,} of {member.size:,} bytes of a member")
    return data
