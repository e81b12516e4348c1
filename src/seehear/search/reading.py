"""The windows of a query file, decoded: runs in a decoding process, so it needs neither torch nor Lance.

Legend: W windows, T frames, S samples of a window, H W picture.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seehear.errors import MediaError, SkipReason
from seehear.media import Limits, MediaInfo, probe, read_audio, read_frames

SAMPLE_RATE = 16_000


@dataclass(frozen=True)
class Wanted:
    """What to read of a file.

    Attributes:
        kind: "audio", "image" or "clip".
        seconds: of sound in a window; 0 for no sound.
        frames: T, of a window; 0 for no pictures.
        shorter_side: pixels to which larger pictures are reduced.
        at: second of the one window to take; None for all.
    """

    kind: str
    seconds: float
    frames: int
    shorter_side: int
    at: float | None = None


@dataclass(frozen=True)
class Read:
    """What a file holds of it.

    Attributes:
        name: the file, for messages; "" for bytes.
        sound: int16 `[W, S]`, zero after its end, or None.
        samples: int64 `[W]`, valid length of each; 0 where a window is digital silence.
        frames: uint8 RGB `[W, T, H, W, 3]`, or None.
    """

    name: str
    sound: NDArray[np.int16] | None
    samples: NDArray[np.int64]
    frames: NDArray[np.uint8] | None


def read(source: str | Path | bytes, wanted: Wanted, limits: Limits) -> Read:
    """The windows of a file.

    Raises:
        MediaError: if it is broken, over a limit, or has not what is wanted of it.
    """
    info = probe(source, limits)
    name = "" if isinstance(source, bytes) else str(source)
    _check_kind(info, wanted, name)
    has_sound = info.audio is not None and wanted.seconds > 0
    has_frames = info.video is not None and wanted.frames > 0
    length = info.duration_seconds
    if not has_sound and info.kind == "image":
        length = 0.0
    starts = _starts(length, wanted, limits, name)
    sound, samples = None, np.zeros(len(starts), np.int64)
    if has_sound:
        sound, samples = _sound(source, starts, wanted, limits)
    frames = _frames(source, starts, info, wanted, limits) if has_frames else None
    return Read(name, sound, samples, frames)


def _check_kind(info: MediaInfo, wanted: Wanted, name: str) -> None:
    if wanted.kind == "audio" and info.audio is None:
        found = "a picture" if info.kind == "image" else "a video without sound"
        raise MediaError(
            SkipReason.NO_AUDIO,
            found,
            path=name,
            expected="a file with sound",
            cure="ask with it as a picture: --image",
        )
    if wanted.kind == "image" and info.video is None:
        raise MediaError(
            SkipReason.NO_VIDEO, "sound only", path=name, expected="a picture or video", cure="ask with it as --audio"
        )
    if wanted.at is not None and info.kind != "image" and wanted.at >= info.duration_seconds:
        raise MediaError(
            SkipReason.OUT_OF_RANGE,
            f"{wanted.at:g} s of {info.duration_seconds:.6g} s",
            path=name,
            expected="a second before its end",
        )


def _starts(length: float, wanted: Wanted, limits: Limits, name: str) -> list[float]:
    """Where windows begin: one after the other, the last ending with the file."""
    if wanted.at is not None:
        return [wanted.at]
    if length > limits.decoded_seconds:
        raise MediaError(
            SkipReason.OVER_LIMIT,
            f"{length:.6g} s",
            path=name,
            expected=f"at most {limits.decoded_seconds:g} s to average over",
            cure="name the second to ask with: --at SECONDS",
        )
    window = wanted.seconds or length
    if length <= window or wanted.kind == "image":
        return [0.0]
    whole = [float(start) for start in np.arange(0.0, length - window, window)]
    return [*whole, length - window]


def _sound(
    source: str | Path | bytes, starts: list[float], wanted: Wanted, limits: Limits
) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
    first, window = starts[0], round(wanted.seconds * SAMPLE_RATE)
    every = read_audio(source, first, starts[-1] + wanted.seconds - first, limits=limits)
    sound, samples = np.zeros((len(starts), window), np.int16), np.zeros(len(starts), np.int64)
    for place, start in enumerate(starts):
        begin = round((start - first) * SAMPLE_RATE)
        part = every[begin : begin + window]
        if part.any():
            sound[place, : len(part)], samples[place] = part, len(part)
    return sound, samples


def _frames(
    source: str | Path | bytes, starts: list[float], info: MediaInfo, wanted: Wanted, limits: Limits
) -> NDArray[np.uint8]:
    """The frames in the middle of T equal parts of each window."""
    video = info.video
    assert video is not None
    if info.kind == "image":
        times = np.zeros(len(starts) * wanted.frames)
    else:
        window = min(wanted.seconds or info.duration_seconds, info.duration_seconds)
        if wanted.kind == "image":
            window = info.duration_seconds if wanted.at is None else 0.0
        middles = (np.arange(wanted.frames) + 0.5) / wanted.frames * window
        times = (np.array(starts)[:, None] + middles).reshape(-1)
        times = np.clip(times, 0.0, video.last_frame_seconds)
    reduced = wanted.shorter_side if min(video.width, video.height) > wanted.shorter_side else None
    pixels = read_frames(source, times, shorter_side=reduced, limits=limits).pixels
    return pixels.reshape(len(starts), wanted.frames, *pixels.shape[1:])
