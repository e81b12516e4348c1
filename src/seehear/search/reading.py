"""The windows of a query file, decoded: runs in a decoding process, so it needs neither torch nor Lance.

Legend: W windows, T frames, S samples of a window, H W picture.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seehear.media import Limits, MediaInfo, read_audio, read_frames

SAMPLE_RATE = 16_000


@dataclass(frozen=True)
class Wanted:
    """What to read of a file.

    Attributes:
        starts: where each window begins, in seconds.
        window_seconds: length of a window, over which its frames are spread.
        seconds: of sound in a window; 0 for no sound.
        frames: T, of a window; 0 for no pictures.
        shorter_side: pixels to which larger pictures are reduced.
    """

    starts: tuple[float, ...]
    window_seconds: float
    seconds: float
    frames: int
    shorter_side: int


@dataclass(frozen=True)
class Read:
    """What a file holds of it.

    Attributes:
        sound: int16 `[W, S]`, zero after its end, or None.
        samples: int64 `[W]`, valid length of each; 0 where a window is digital silence.
        frames: uint8 RGB `[W, T, H, W, 3]`, or None.
    """

    sound: NDArray[np.int16] | None
    samples: NDArray[np.int64]
    frames: NDArray[np.uint8] | None


def read(source: str | Path | bytes, info: MediaInfo, wanted: Wanted, limits: Limits) -> Read:
    """The windows of a file that was probed.

    Raises:
        MediaError: if it is broken or over a limit.
    """
    sound, samples, frames = None, np.zeros(len(wanted.starts), np.int64), None
    if info.audio is not None and wanted.seconds > 0:
        sound, samples = _sound(source, wanted, limits)
    if info.video is not None and wanted.frames > 0:
        frames = _frames(source, info, wanted, limits)
    return Read(sound, samples, frames)


def _sound(source: str | Path | bytes, wanted: Wanted, limits: Limits) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
    """The windows of sound, and how far each is valid."""
    starts = wanted.starts
    first, window = starts[0], round(wanted.seconds * SAMPLE_RATE)
    every = read_audio(source, first, starts[-1] + wanted.seconds - first, limits=limits)
    sound, samples = np.zeros((len(starts), window), np.int16), np.zeros(len(starts), np.int64)
    for place, start in enumerate(starts):
        begin = round((start - first) * SAMPLE_RATE)
        part = every[begin : begin + window]
        if part.any():
            sound[place, : len(part)], samples[place] = part, len(part)
    return sound, samples


def _frames(source: str | Path | bytes, info: MediaInfo, wanted: Wanted, limits: Limits) -> NDArray[np.uint8]:
    """The frames in the middle of T equal parts of each window."""
    video = info.video
    assert video is not None
    window = min(wanted.window_seconds, info.duration_seconds)
    middles = (np.arange(wanted.frames) + 0.5) / wanted.frames * window
    times = (np.array(wanted.starts)[:, None] + middles).reshape(-1)
    times = np.clip(times, 0.0, video.last_frame_seconds)
    reduced = wanted.shorter_side if min(video.width, video.height) > wanted.shorter_side else None
    pixels = read_frames(source, times, shorter_side=reduced, limits=limits).pixels
    return pixels.reshape(len(wanted.starts), wanted.frames, *pixels.shape[1:])
