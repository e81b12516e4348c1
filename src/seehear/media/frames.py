"""Frames of a video, or a still picture, at given times.

Legend: T asked times, H W picture.
"""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from seehear.errors import MediaError, SkipReason, UsageError
from seehear.media.extents import is_cut_short, past_the_end, scan
from seehear.media.frame_reader import FrameReader
from seehear.media.limits import Limits
from seehear.media.media_file import END_SLACK_SECONDS, MediaFile, open_media
from seehear.media.orientation import orientation_of, shown_size
from seehear.media.pictures import decode_picture, fit
from seehear.media.sources import PICTURES, Source, name_of, open_source, sniff
from seehear.media.tracks import Frames

_LATEST_SECONDS = 1e9  # keeps times within what time stamps can hold
_BICUBIC = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


class _Kept(threading.local):
    """The thread's own converter: its filters stay as long as sizes do."""

    def __init__(self) -> None:
        self.reformatter = VideoReformatter()


_kept = _Kept()


def read_frames(
    source: Source,
    seconds: Sequence[float] | np.ndarray,
    *,
    shorter_side: int | None = None,
    limits: Limits | None = None,
) -> Frames:
    """The frames shown at the asked times.

    Args:
        source: a path, or the bytes of a file.
        seconds: `[T]` times on the presentation clock in any order; before the first frame means the first. A frame
            is found by any time from its start (within a microsecond) to the start of the next.
        shorter_side: resize, aspect kept, so that the shorter side has this many pixels (antialiased bicubic, up as
            well as down); None keeps the size.
        limits: defaults to those for one's own media.

    Returns:
        Upright RGB pictures in square pixels, and when each really began to be shown. A still picture answers every
        time and begins at 0.

    Raises:
        MediaError: NO_VIDEO, OUT_OF_RANGE past the end, TRUNCATED where the frame is missing, OVER_LIMIT, ...
        UsageError: on times that are not finite numbers, or a side below 1.
    """
    limits, path = limits or Limits(), name_of(source)
    asked = _checked(seconds, shorter_side)
    with open_source(source, limits) as file:
        if sniff(file, path) == PICTURES:
            picture = decode_picture(file.read(), path, limits, shorter_side)
            limits.check("resident_bytes", len(asked) * picture.size, path)
            return Frames(np.repeat(picture[None], len(asked), axis=0), np.zeros(len(asked)))
    with open_media(source, limits) as media:
        return frames_of(media, asked, shorter_side)


def frames_of(
    media: MediaFile, seconds: Sequence[float] | np.ndarray, shorter_side: int | None, *, rewind: bool = False
) -> Frames:
    """`read_frames` of a file that is open; `rewind` where it is not at its start."""
    asked, stream = _checked(seconds, shorter_side), media.video()
    if stream is None:
        raise MediaError(SkipReason.NO_VIDEO, "sound only", path=media.path)
    reader = FrameReader(media, stream)
    if rewind:
        reader.rewind()
    frames = _collect(reader, asked, shorter_side)
    if reader.past_end and asked.max() > reader.end_seconds + END_SLACK_SECONDS:
        _check_end(reader, float(asked.max()))
    return frames


def _collect(reader: FrameReader, asked: np.ndarray, shorter_side: int | None) -> Frames:
    slots = np.argsort(asked, kind="stable")
    last = reader.frame_at(float(asked[slots[0]]))
    shape = _Shape(reader, last, shorter_side)
    result = shape.room_for(len(asked))
    picture = shape.picture(last)
    for slot in slots:
        frame = reader.frame_at(float(asked[slot]))
        if frame is not last:
            last, picture = frame, shape.picture(frame)
        result.pixels[slot], result.seconds[slot] = picture, reader.seconds_of(frame)
    return result


def _check_end(reader: FrameReader, asked_seconds: float) -> None:
    """The last frame stays while there is sound, and a single frame always; later times hold nothing."""
    file, sound = reader.file, next(iter(reader.container.streams.audio), None)
    extents = [extent for extent in scan(file, reader.stream, sound, rewind=True) if extent is not None]
    end = max((extent.end_seconds for extent in extents), default=reader.end_seconds)
    single = len(extents[0].stamps) == 1 and not is_cut_short(file, end) if extents else False
    if asked_seconds > end + END_SLACK_SECONDS and not single:
        raise past_the_end(file, asked_seconds, end, end)


class _Shape:
    """The one shape of all returned pictures, settled by the first decoded frame."""

    def __init__(self, reader: FrameReader, frame: Any, shorter_side: int | None):
        self.reader, self.orientation = reader, orientation_of(frame)
        shown = shown_size(frame.width, frame.height, reader.stream.sample_aspect_ratio, self.orientation)
        self.width, self.height = fit(*shown, shorter_side)

    def room_for(self, count: int) -> Frames:
        """Memory for `count` pictures, after the limits allowed it.

        Raises:
            MediaError: OVER_LIMIT.
        """
        limits, path = self.reader.file.limits, self.reader.file.path
        limits.check("pixels", self.width * self.height, path)
        limits.check("resident_bytes", count * self.width * self.height * 3, path)
        return Frames(np.empty((count, self.height, self.width, 3), np.uint8), np.zeros(count))

    def picture(self, frame: Any) -> np.ndarray:
        """`[H, W, 3]` of a decoded frame."""
        width, height = (self.height, self.width) if self.orientation.transpose else (self.width, self.height)
        scaled = _kept.reformatter.reformat(
            frame, width=width, height=height, format="rgb24", interpolation=_BICUBIC, threads=1
        )
        return self.orientation.apply(scaled.to_ndarray())


def _checked(seconds: Sequence[float] | np.ndarray, shorter_side: int | None) -> np.ndarray:
    asked = np.asarray(seconds, np.float64)
    if asked.ndim != 1 or len(asked) == 0 or not (np.abs(asked) < _LATEST_SECONDS).all():
        raise UsageError(f"asked times {seconds!r}", expected="at least one finite number of seconds")
    if shorter_side is not None and shorter_side < 1:
        raise UsageError(f"shorter_side is {shorter_side}", expected="at least 1 pixel")
    return asked
