"""Getting at bytes: a regular file, or bytes in memory, recognised by content and never by name.

FFmpeg sees a file object only, never a name: it cannot open anything else (playlists, URLs, devices).
"""

import io
import os
import stat
from pathlib import Path
from typing import BinaryIO

from seehear.errors import MediaError, SkipReason
from seehear.media.limits import Limits

Source = str | Path | bytes | bytearray | memoryview

PICTURES = "picture"
_HEAD_BYTES = 4096
_TS_PACKET = 188
_ISO_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp")


def name_of(source: Source) -> str:
    """The path as text for messages; "" for bytes."""
    return "" if isinstance(source, bytes | bytearray | memoryview) else os.fsdecode(source)


def open_source(source: Source, limits: Limits) -> BinaryIO:
    """The bytes of a source as an open file.

    Raises:
        MediaError: UNREADABLE, EMPTY or OVER_LIMIT.
    """
    path = name_of(source)
    if isinstance(source, bytes | bytearray | memoryview):
        file = io.BytesIO(source)
        size = file.getbuffer().nbytes
    else:
        size, file = _open_file(source, path)
    if size == 0:
        file.close()
        raise MediaError(SkipReason.EMPTY, "0 bytes", path=path)
    try:
        limits.check("file_bytes", size, path)
    except MediaError:
        file.close()
        raise
    return file


def _open_file(source: str | Path, path: str) -> tuple[int, BinaryIO]:
    try:
        status = os.stat(source)
        if not stat.S_ISREG(status.st_mode):
            raise MediaError(SkipReason.UNREADABLE, "not a regular file", path=path, expected="a file of media")
        return status.st_size, open(source, "rb")
    except (OSError, ValueError) as error:
        found = getattr(error, "strerror", None) or str(error)
        raise MediaError(SkipReason.UNREADABLE, found, path=path, cure="check the name and its permissions") from error


def sniff(file: BinaryIO, path: str) -> str:
    """The name of the container by its first bytes: a key of `containers.CONTAINERS`, or "picture".

    Raises:
        MediaError: NOT_MEDIA where the bytes are none of them.
    """
    try:
        head = file.read(_HEAD_BYTES)
        file.seek(0)
    except OSError as error:
        raise MediaError(SkipReason.UNREADABLE, error.strerror or str(error), path=path) from error
    name = _picture_or_riff(head) or _container(head)
    if name is None:
        text = head[:64].isascii()
        raise MediaError(
            SkipReason.NOT_MEDIA,
            "a text file" if text else f"it begins with {head[:8].hex(' ')}",
            path=path,
            expected="mp4, mov, mkv, webm, avi, mpeg, flv, wmv, wav, flac, mp3, ogg, aac, jpeg, png or webp",
            cause="a wrong extension or an incomplete download",
        )
    return name


def _picture_or_riff(head: bytes) -> str | None:
    if head[:3] == b"\xff\xd8\xff" or head[:8] == b"\x89PNG\r\n\x1a\n":
        return PICTURES
    if head[:4] in (b"RIFF", b"RF64"):
        return {b"WEBP": PICTURES, b"WAVE": "wav", b"AVI ": "avi"}.get(head[8:12])
    return None


def _container(head: bytes) -> str | None:
    if head[4:8] in _ISO_BOXES:
        return "mp4"
    for magic, name in (
        (b"\x1a\x45\xdf\xa3", "matroska"),
        (b"fLaC", "flac"),
        (b"OggS", "ogg"),
        (b"ID3", "mp3"),
        (b"FLV\x01", "flv"),
        (b"\x00\x00\x01\xba", "mpeg"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    ):
        if head.startswith(magic):
            return name
    if head[0] == 0x47 and len(head) > 2 * _TS_PACKET and head[_TS_PACKET] == head[2 * _TS_PACKET] == 0x47:
        return "mpegts"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "aac"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06:
        return "mp3"
    return None
