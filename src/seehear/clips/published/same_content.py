"""Clips that hold the same under two names: equal bytes of their files, and the same stretch of them."""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence

from seehear.clips.manifest import Entry

_BLOCK_BYTES = 1 << 20


def same_content(entries: Sequence[Entry]) -> list[tuple[str, ...]]:
    """Groups of ids whose files are equal byte for byte; only files of equal size are read.

    Raises:
        OSError: if a file cannot be read.
    """
    groups = _grouped(entries, lambda entry: (os.path.getsize(entry.path), entry.start_seconds, entry.duration_seconds))
    return sorted(
        tuple(sorted(entry.id for entry in same))
        for alike in groups
        for same in _grouped(alike, lambda entry: _digest(entry.path))
    )


def _grouped(entries: Iterable[Entry], key: Callable[[Entry], object]) -> list[list[Entry]]:
    """Those that share their key with another."""
    groups: dict[object, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(key(entry), []).append(entry)
    return [group for group in groups.values() if len(group) > 1]


def _digest(path: str) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    with open(path, "rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.digest()
