"""A file as windows of the length that a network hears, decoded in disposable processes.

Windows lie where `clips.cut` puts clips. Its last clip may be longer than the others; then the last window ends with
the file, so that none of it is left out. Pictures keep their size until the network's own fitting.

Legend: T frames of a window, H W picture, S samples of sound.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np

from seehear.clips.choice import FIXED
from seehear.clips.convert import read_piece
from seehear.clips.cutting import Span, cut
from seehear.clips.manifest import Entry
from seehear.clips.pieces import Cutting, Piece, pieces_of
from seehear.clips.survey import windowed
from seehear.clips.window import wanted
from seehear.contracts import Needs
from seehear.errors import MediaError
from seehear.media import Limits, MediaInfo, Pool, probe

WITHOUT_SOUND_SECONDS = 10.0  # length of a window where the network hears nothing
_AHEAD = 4  # calls under way for each process


@dataclass(frozen=True)
class Window:
    """One window, decoded.

    Attributes:
        file: number of the file.
        span: where it lies in the file.
        frames: uint8 RGB `[T, H, W, 3]`, or None.
        audio: int16 `[S]` at 16 kHz, or None.
    """

    file: int
    span: Span
    frames: np.ndarray | None
    audio: np.ndarray | None


def window_seconds(needs: Needs) -> float:
    """Length of a window."""
    return WITHOUT_SOUND_SECONDS if needs.audio is None else needs.audio.seconds


def read_windows(paths: Sequence[str], needs: Needs, hop: float | None, pool: Pool, limits: Limits) -> Iterator[Window]:
    """The windows of all files, in order.

    Args:
        paths: the files.
        needs: what to read of each window: sound from its start, frames spread evenly.
        hop: seconds from one window to the next; None for the window's length.
        pool: where to decode.
        limits: on decoding.

    Raises:
        MediaError: at the first file that cannot be read.
        UsageError: if `hop` is not positive.
    """
    seconds = window_seconds(needs)
    cut(seconds, seconds, hop or seconds)  # refuses a wrong hop before anything is read
    numbered = list(enumerate(paths))
    probed = windowed(lambda item: pool.submit(probe, item[1], limits=limits), numbered, _AHEAD * pool.workers)
    pieces = (
        (number, path, piece)
        for (number, path), info in probed
        for piece in _pieces(path, _or_raise(info), seconds, hop or seconds, needs)
    )

    def submit(item: tuple[int, str, Piece]) -> Future | None:
        return _submit(item[1], item[2], needs, pool, limits)

    for (number, _, piece), found in windowed(submit, pieces, _AHEAD * pool.workers):
        frames, _, audio = (None, None, None) if found is None else _or_raise(found)
        yield Window(number, piece.span, frames, audio)


def _or_raise(found: Any) -> Any:
    if isinstance(found, MediaError):
        raise found
    return found


def covering(duration_seconds: float, window: float, hop: float) -> list[Span]:
    """Windows of at most `window` seconds that leave out nothing of a file (with a `hop` up to `window`)."""
    *spans, last = cut(duration_seconds, window, hop)
    if last.duration_seconds <= window + 1e-6:
        return [*spans, last]
    end = last.start_seconds + last.duration_seconds
    return [*spans, Span(last.start_seconds, window), Span(end - window, window)]


def _pieces(path: str, info: MediaInfo, seconds: float, hop: float, needs: Needs) -> list[Piece]:
    count = 1 if needs.frames is None else needs.frames.count
    found = []
    for span in covering(info.duration_seconds, seconds, hop):
        stretch = Entry(path, path, start_seconds=span.start_seconds, duration_seconds=span.duration_seconds or None)
        found += pieces_of(stretch, info, Cutting(seconds, frames=count, modality="any"))
    return found


def _submit(path: str, piece: Piece, needs: Needs, pool: Pool, limits: Limits) -> Future | None:
    times = np.array(piece.frame_times) - piece.span.start_seconds
    take = wanted(needs, FIXED, piece.audio_seconds, times)
    if take.places is None and take.seconds is None:
        return None
    shown = () if take.places is None else tuple(piece.frame_times[place] for place in take.places)
    sound = None if take.seconds is None else min(take.seconds, piece.audio_seconds or 0.0)
    return pool.submit(read_piece, path, piece, shown, None, 0.0, sound, limits)
