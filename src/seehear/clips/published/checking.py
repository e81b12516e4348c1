"""Whether clips open and decode, and whether anything is heard: judged on what `seehear pack` would keep of them.

All sound and ten pictures of every 10 s are decoded, in the pool of disposable processes.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np

from seehear.clips.manifest import Entry
from seehear.clips.pieces import Cutting, Piece, pieces_of
from seehear.clips.survey import windowed
from seehear.errors import MediaError, SkipReason
from seehear.media import Limits, MediaInfo, Pool, probe, read_clip

SILENCE_DB = -60.0  # of full scale
_FULL_SCALE = 32768.0
_SIDE = 64  # pixels of the decoded pictures' shorter side: nothing is made of them


@dataclass(frozen=True)
class Health:
    """What decoding a clip showed: whether there are pictures, and the highest sample (0 to 1; None without sound)."""

    pictures: bool
    peak: float | None

    @property
    def peak_db(self) -> float | None:
        """The peak in decibels of full scale; None for digital silence, and without sound."""
        return 20 * math.log10(self.peak) if self.peak else None

    def silent(self, threshold_db: float) -> bool:
        """Whether there is sound, and none of it reaches the threshold."""
        return self.peak is not None and self.peak < 10 ** (threshold_db / 20)


Told = Callable[[int, int], None]  # done, in all


def probe_all(paths: Iterable[str], pool: Pool, progress: Told) -> dict[str, MediaInfo | MediaError]:
    """The facts of each file, or why there are none."""
    names = list(dict.fromkeys(paths))
    found: dict[str, MediaInfo | MediaError] = {}
    for path, info in zip(names, pool.map(probe, names), strict=True):
        found[path] = info
        progress(len(found), len(names))
    return found


def check_all(
    entries: Sequence[Entry], infos: dict[str, MediaInfo | MediaError], pool: Pool, progress: Told
) -> dict[str, Health | MediaError]:
    """By the clips' ids, what decoding them showed, or why they do not decode.

    Args:
        entries: the clips.
        infos: the facts of their files.
        pool: where they are decoded.
        progress: is told after each clip.
    """
    limits, checked = Limits(), dict[str, Health | MediaError]()

    def submit(item: tuple[Entry, Piece | MediaError]) -> Future | None:
        entry, piece = item
        return None if isinstance(piece, MediaError) else pool.submit(decode, entry.path, piece, limits)

    items = (item for entry in entries for item in _pieces(entry, infos[entry.path]))
    for (entry, piece), decoded in windowed(submit, items, 3 * pool.workers):
        found = piece if isinstance(piece, MediaError) else decoded
        checked[entry.id] = _worse(checked.get(entry.id), found)
        progress(len(checked), len(entries))
    return checked


def decode(path: str, piece: Piece, limits: Limits) -> Health:
    """Decode the sound and the pictures of one piece of a file; run in a decoding process.

    Raises:
        MediaError: if it does not decode.
    """
    span = None if piece.audio_seconds is None else (piece.span.start_seconds, piece.audio_seconds)
    shown, sound = read_clip(
        path, piece.frame_times, span, shorter_side=_SIDE, limits=limits, header_tells=piece.header_tells
    )
    return Health(
        shown is not None, None if sound is None else float(np.abs(sound.astype(np.int32)).max()) / _FULL_SCALE
    )


def _pieces(entry: Entry, info: MediaInfo | MediaError) -> Iterator[tuple[Entry, Piece | MediaError]]:
    try:
        if isinstance(info, MediaError):
            raise info
        if info.truncated:
            found = f"it ends at {info.duration_seconds:.3f} s, its header promises more"
            raise MediaError(SkipReason.TRUNCATED, found, path=entry.path)
        pieces = pieces_of(entry, info, Cutting(modality="any"))
    except MediaError as error:
        yield entry, error
        return
    yield from ((entry, piece) for piece in pieces)


def _worse(known: Health | MediaError | None, found: Health | MediaError) -> Health | MediaError:
    """What is true of a clip of which two pieces are known: damage anywhere, else the best of both."""
    if known is None or isinstance(known, MediaError):
        return known or found
    if isinstance(found, MediaError):
        return found
    peaks = [peak for peak in (known.peak, found.peak) if peak is not None]
    return Health(known.pictures or found.pictures, max(peaks, default=None))
