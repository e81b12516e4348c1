"""Pictures and sound of one clip, from one opening of its file where that gives the same as two.

Opening a file costs as much as decoding a second of it. Legend: T asked times, S samples.
"""

from collections.abc import Sequence

import numpy as np

from seehear.errors import MediaError
from seehear.media.frames import frames_of, read_frames
from seehear.media.limits import Limits
from seehear.media.media_file import open_media
from seehear.media.samples import read_audio, sound_of
from seehear.media.sources import Source
from seehear.media.tracks import Frames


def read_clip(
    source: Source,
    seconds: Sequence[float] | np.ndarray = (),
    sound: tuple[float, float] | None = None,
    *,
    shorter_side: int | None = None,
    limits: Limits | None = None,
    header_tells: bool = False,
) -> tuple[Frames | None, np.ndarray | None]:
    """What `read_frames(source, seconds)` and `read_audio(source, *sound)` give, in less time.

    Args:
        source: a path, or the bytes of a file.
        seconds: `[T]` times of the frames; none for no frames.
        sound: start and length in seconds; None for no sound.
        shorter_side: as for `read_frames`.
        limits: defaults to those for one's own media.
        header_tells: what `probe` found of this file (`MediaInfo.header_tells`); False reads it as the two
            functions do.

    Raises:
        MediaError, UsageError: as the two functions.
    """
    limits = limits or Limits()
    if header_tells:
        try:
            return _at_once(source, seconds, sound, shorter_side, limits)
        except MediaError:
            pass  # read again, step by step: a file that changed since is read as it is, damage is told as ever
    frames = read_frames(source, seconds, shorter_side=shorter_side, limits=limits) if len(seconds) else None
    return frames, None if sound is None else read_audio(source, *sound, limits=limits)


def _at_once(
    source: Source,
    seconds: Sequence[float] | np.ndarray,
    sound: tuple[float, float] | None,
    shorter_side: int | None,
    limits: Limits,
) -> tuple[Frames | None, np.ndarray | None]:
    """Sound first, as it needs the file at its start: after a seek a decoder may begin otherwise."""
    with open_media(source, limits, header_tells=True) as media:
        samples = None if sound is None else sound_of(media, *sound)
        frames = frames_of(media, seconds, shorter_side, rewind=sound is not None) if len(seconds) else None
    return frames, samples
