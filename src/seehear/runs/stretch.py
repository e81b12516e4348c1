"""A stretch of a clip with moving or still picture and sound: what `localize` and `separate` watch.

Files are decoded in disposable processes; the sound is held whole, frames are read a piece at a time.

Legend: T frames, H W picture, S samples.
"""

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seehear.contracts import SAMPLE_RATE, Method
from seehear.errors import DataError, MediaError, SkipReason, UsageError
from seehear.media import Limits, MediaInfo, Pool, probe, read_audio, read_frames

MOST_SECONDS = 600.0
MOST_FRAMES_PER_SECOND = 30
STILL_FRAMES_PER_SECOND = 10  # of a single picture with sound
SILENT_DB = -60.0  # root mean square below full scale under which a stretch counts as silent
_PIECE_BYTES = 48 * 1024 * 1024


class Stretch:
    """A stretch of a clip.

    Args:
        path: the file.
        pool: where to decode.
        from_seconds: where the stretch begins in the file.
        to_seconds: where it ends; None for the end of the file.

    Attributes:
        info: the file's facts.
        start_seconds: where it begins in the file; all other times count from there.
        seconds: its length.
        sound: int16 `[S]`, zero where the track has ended.

    Raises:
        MediaError: for a file that is broken, has no sound or no picture, or if over `MOST_SECONDS` of it are asked.
        UsageError: for a stretch that does not lie in the file.
        DataError: if all of its sound is digital silence.
    """

    def __init__(self, path: str | Path, pool: Pool, from_seconds: float = 0.0, to_seconds: float | None = None):
        self.path, self._pool, self._limits = str(path), pool, Limits()
        self.info: MediaInfo = pool.submit(probe, self.path, limits=self._limits).result()
        _require_both(self.info, self.path)
        self.start_seconds, self.seconds = _extent(self.info, self.path, from_seconds, to_seconds)
        samples = max(1, round(self.seconds * SAMPLE_RATE))
        self.sound: NDArray[np.int16] = np.zeros(samples, np.int16)
        heard = pool.submit(read_audio, self.path, self.start_seconds, self.seconds, limits=self._limits).result()
        self.sound[: len(heard)] = heard[:samples]
        if not self.sound.any():
            raise silence(self.path)

    @property
    def frames_per_second(self) -> Fraction:
        """Of the frames that `frames` shows: the clip's own, at most `MOST_FRAMES_PER_SECOND`."""
        assert self.info.video is not None
        own = Fraction(self.info.video.frames_per_second).limit_denominator(1001)
        return min(own, Fraction(MOST_FRAMES_PER_SECOND)) or Fraction(STILL_FRAMES_PER_SECOND)

    def pictures(self, seconds: NDArray[np.float64], shorter_side: int) -> NDArray[np.uint8]:
        """uint8 `[T, H, W, 3]` shown at these times; no larger than the clip's own."""
        video = self.info.video
        assert video is not None
        side = shorter_side if min(video.width, video.height) > shorter_side else None
        at = np.clip(np.asarray(seconds) + self.start_seconds, 0.0, video.last_frame_seconds)
        return self._pool.submit(read_frames, self.path, at, shorter_side=side, limits=self._limits).result().pixels

    def frames(self, shorter_side: int) -> Iterator[tuple[NDArray[np.float64], NDArray[np.uint8]]]:
        """All frames in order, a piece at a time: when each is shown, and uint8 `[T, H, W, 3]` with even H and W."""
        video, rate = self.info.video, self.frames_per_second
        assert video is not None
        scale = min(1.0, shorter_side / min(video.width, video.height))
        piece = max(1, int(_PIECE_BYTES / (3 * video.width * video.height * scale**2)))
        times = (np.arange(max(1, round(self.seconds * rate)), dtype=np.float64) + 0.5) / np.float64(rate)
        for first in range(0, len(times), piece):
            some = times[first : first + piece]
            pixels = self.pictures(some, shorter_side)
            yield some, pixels[:, : pixels.shape[1] // 2 * 2, : pixels.shape[2] // 2 * 2]


def is_silent(sound: NDArray[np.int16]) -> bool:
    """Whether the root mean square of `sound [S]` is below `SILENT_DB` of full scale."""
    power = float(np.square(sound.astype(np.float64) / 32768.0).mean()) if len(sound) else 0.0
    return power < 10 ** (SILENT_DB / 10)


def silence(path: str) -> DataError:
    """What is said of a stretch where nothing is to be heard."""
    return DataError(
        f"{path}: nothing is to be heard in it",
        expected=f"some sound above {SILENT_DB:g} dB",
        cause="a muted track, or a silent stretch",
        cure="another clip, or another stretch: --from-seconds, --to-seconds",
    )


def check_reads_both(method: Method, name: str) -> None:
    """Refuse a network that does not both hear and see.

    Raises:
        UsageError: naming what it lacks.
    """
    missing = [
        what for what, need in (("sound", method.needs.audio), ("pictures", method.needs.frames)) if need is None
    ]
    if missing:
        raise UsageError(
            f"{name} reads no {' and no '.join(missing)}",
            expected="a model of sound and pictures",
            cure="--model avsiam-world, or a run of your own",
        )


def _require_both(info: MediaInfo, path: str) -> None:
    if info.audio is None:
        found = "a still picture" if info.kind == "image" else "a video without sound"
        raise MediaError(SkipReason.NO_AUDIO, found, path=path, expected="a clip with sound and picture")
    if info.video is None:
        raise MediaError(SkipReason.NO_VIDEO, "sound only", path=path, expected="a clip with sound and picture")
    if min(info.video.width, info.video.height) < 2:
        found = f"a picture of {info.video.width} x {info.video.height} pixels"
        raise MediaError(SkipReason.UNSUPPORTED, found, path=path, expected="at least 2 x 2")


def _extent(info: MediaInfo, path: str, first: float, last: float | None) -> tuple[float, float]:
    """Beginning and length of a stretch."""
    whole = info.duration_seconds
    end = whole if last is None else min(last, whole)
    if not (0 <= first < whole and first < end) or not math.isfinite(first):
        asked = f"seconds {first:g} to {'its end' if last is None else f'{last:g}'} of {path}"
        raise UsageError(f"{asked} hold nothing", expected=f"a stretch of its {whole:.6g} s")
    if end - first > MOST_SECONDS + 1e-6:
        raise MediaError(
            SkipReason.OVER_LIMIT,
            f"{end - first:.6g} s",
            path=path,
            expected=f"at most {MOST_SECONDS:g} s at a time",
            cure="choose a stretch: --from-seconds 0 --to-seconds 600",
        )
    return first, end - first
