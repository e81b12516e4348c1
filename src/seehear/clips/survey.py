"""Files to clips, in the files' order, with a bounded number of files probed ahead in the pool."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from seehear.clips.manifest import Entry
from seehear.clips.pack_state import Skip
from seehear.clips.pieces import Cutting, Piece, check_piece, pieces_of
from seehear.errors import MediaError
from seehear.media import Limits, Pool, probe
from seehear.media.tracks import MediaInfo

Item = TypeVar("Item")


@dataclass(frozen=True)
class Surveyed:
    """One clip of a file, or why there is none.

    Attributes:
        file: number of the file in the listing.
        clip: number of the clip in its file.
        entry: the file.
        piece: the clip; None if it, or the whole file, cannot be used.
        skip: the reason if it cannot.
    """

    file: int
    clip: int
    entry: Entry
    piece: Piece | None
    skip: Skip | None


def windowed(
    submit: Callable[[Item], Future[Any] | None], items: Iterable[Item], depth: int
) -> Generator[tuple[Item, Any], None, None]:
    """Each item with its result or its MediaError, in order, with at most `depth` under way.

    An item for which `submit` gives None has no work and the result None.
    """
    under_way: deque[tuple[Item, Future[Any] | None]] = deque()
    for item in items:
        under_way.append((item, submit(item)))
        if len(under_way) >= depth:
            yield _finished(*under_way.popleft())
    while under_way:
        yield _finished(*under_way.popleft())


def _finished(item: Item, future: Future[Any] | None) -> tuple[Item, Any]:
    if future is None:
        return item, None
    try:
        return item, future.result()
    except MediaError as error:
        return item, error


def survey(
    entries: list[Entry], cutting: Cutting, pool: Pool, limits: Limits, first_file: int = 0
) -> Generator[Surveyed, None, None]:
    """The clips of all files from `first_file` on, in order; what cannot be used comes as a skip in its place."""
    depth = 4 * pool.workers
    probed = lru_cache(maxsize=2 * depth)(lambda path: pool.submit(probe, path, limits=limits))
    numbered = ((number, entries[number]) for number in range(first_file, len(entries)))
    for (number, entry), info in windowed(lambda item: probed(item[1].path), numbered, depth):
        yield from _of_file(number, entry, info, cutting)


def _of_file(
    number: int, entry: Entry, info: MediaInfo | MediaError, cutting: Cutting
) -> Generator[Surveyed, None, None]:
    try:
        if isinstance(info, MediaError):
            raise info
        pieces = pieces_of(entry, info, cutting)
    except MediaError as error:
        yield Surveyed(number, 0, entry, None, skip_of(entry.name, error))
        return
    for clip, piece in enumerate(pieces):
        try:
            check_piece(piece, cutting.modality)
            yield Surveyed(number, clip, entry, piece, None)
        except MediaError as error:
            yield Surveyed(number, clip, entry, None, skip_of(piece.name, error))


def skip_of(name: str, error: MediaError) -> Skip:
    """The record of a file or clip that cannot be used."""
    return Skip(name, error.reason.value, error.detail)
