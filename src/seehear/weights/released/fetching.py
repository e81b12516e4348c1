"""Fetching a released file: streamed under a temporary name, checked, and moved to its own name only when whole."""

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from seehear.errors import StorageError, UsageError
from seehear.media.atomic import atomic_file
from seehear.weights.released.files import refuse_foreign
from seehear.weights.released.source import Source

CHUNK = 1 << 20
QUIET_SECONDS = 30.0  # without a byte, after which the network counts as gone
SCHEMES = ("https", "http")

Progress = Callable[[int, int | None], object]
"""Told the bytes that are there, and of how many (None: not known)."""


def fetch(source: Source, folder: str | Path = ".", progress: Progress | None = None) -> Path:
    """The file of a source, in `folder` under `source.filename`; nothing is left there when something goes wrong.

    Raises:
        UsageError: if it must be fetched by hand.
        DataError: if a web page came in place of the file.
        StorageError: if the file is there already, the network is missing or breaks off, the disk does not take it, or
            what came has another size or hash than declared.
    """
    path = Path(folder) / source.filename
    if not source.url:
        raise UsageError(
            f"{source.name} has no link to the file itself", expected="a download by hand", cure=f"see {source.page}"
        )
    if urlsplit(source.url).scheme not in SCHEMES:
        raise UsageError(f"{source.name} lies at {source.url}", expected="a link of https")
    if path.exists():
        raise StorageError(
            f"{path} exists",
            expected="a folder without it",
            cure=f"seehear weights inspect {path}, or remove it to fetch it again",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as file:
        _stream(source, file, progress)
    return path


def _stream(source: Source, file: BinaryIO, progress: Progress | None) -> None:
    """Every byte of the source's file, checked against what is declared."""
    algorithm, _, digits = source.digest.partition(":")
    digest = hashlib.new(algorithm, usedforsecurity=False) if algorithm else None
    done, stated = 0, None
    try:
        with urllib.request.urlopen(source.url, timeout=QUIET_SECONDS) as answer:  # of a declared scheme
            length = answer.headers.get("Content-Length")
            stated = int(length) if length and length.isdecimal() else None
            while chunk := answer.read(CHUNK):
                if not done:
                    refuse_foreign(source.url, chunk)
                file.write(chunk)
                done += len(chunk)
                if digest is not None:
                    digest.update(chunk)
                if progress is not None:
                    progress(done, stated)
    except urllib.error.HTTPError as error:
        raise StorageError(
            f"{source.url} answers {error.code} {error.reason}",
            expected="the file",
            cause="a link that has moved",
            cure=f"fetch it by hand from {source.page}",
        ) from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise _no_network(source, done, error) from error
    _check(source, done, stated, digits, "" if digest is None else digest.hexdigest())


def _no_network(source: Source, done: int, error: Exception) -> StorageError:
    reason = getattr(error, "reason", None) or error
    text = str(getattr(reason, "strerror", None) or reason or type(error).__name__)
    return StorageError(
        f"{urlsplit(source.url).hostname} cannot be reached ({text})"
        if not done
        else f"the network broke off after {done} bytes of {source.name} ({text})",
        expected="a network",
        cure=f"start again with one, or bring the file from {source.page}",
    )


def _check(source: Source, done: int, stated: int | None, digits: str, found: str) -> None:
    """Refuse what is not the declared file."""
    size = source.size if source.size is not None else stated
    if size is not None and done != size:
        raise StorageError(f"{done} bytes of {source.name} came", expected=f"{size}", cause="a broken download")
    if not found.startswith(digits):
        raise StorageError(
            f"{source.name} has the hash {found[: len(digits)]}",
            expected=source.digest,
            cause="a damaged download, or another file at the same link",
            cure=f"compare with {source.page}",
        )
