"""One clip of a file to what the table stores: run in a decoding process, so it imports no torch and no Lance.

Legend: T frames, H W picture.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seehear.clips.pieces import Piece
from seehear.errors import UsageError
from seehear.media import Limits, encode_flac, encode_jpeg, read_clip, read_frames, write_video

AUDIO_CODECS = ("pcm_s16le", "flac")
_VIDEO_RATE = 30.0  # frames per second at most of a clip's video that is coded anew


@dataclass(frozen=True)
class Storing:
    """How clips are stored.

    Attributes:
        size: shorter side of the frames, in pixels.
        audio_codec: "pcm_s16le" or "flac".
        keep_video: keep the moving pictures too.
        jpeg_quality: 1 to 95.
    """

    size: int = 224
    audio_codec: str = "pcm_s16le"
    keep_video: bool = False
    jpeg_quality: int = 90

    def __post_init__(self) -> None:
        if self.size < 1:
            raise UsageError(f"frames of {self.size} pixels", expected="at least 1")
        if self.audio_codec not in AUDIO_CODECS:
            raise UsageError(f"audio_codec is {self.audio_codec!r}", expected=" or ".join(AUDIO_CODECS))


@dataclass(frozen=True)
class Stored:
    """What the table stores of a clip's media."""

    frames: list[bytes]
    frame_seconds: list[float]
    audio: bytes | None
    video: bytes | None


def convert(path: str | bytes, piece: Piece, storing: Storing, limits: Limits) -> Stored:
    """Decode one clip of a file (a path, or its bytes) and code it for the table.

    Raises:
        MediaError: if it cannot be decoded.
    """
    frames, seconds, begin = [], [], piece.span.start_seconds
    span = None if piece.audio_seconds is None else (begin, piece.audio_seconds)
    shown, audio = read_clip(
        path, piece.frame_times, span, shorter_side=storing.size, limits=limits, header_tells=piece.header_tells
    )
    if shown is not None:
        seconds, places = np.unique(shown.seconds, return_index=True)
        frames = [encode_jpeg(shown.pixels[place], storing.jpeg_quality) for place in places]
        seconds = [max(0.0, float(second) - begin) for second in seconds]
    video = _video(path, piece, storing, audio, limits) if storing.keep_video and frames else None
    return Stored(frames, seconds, None if audio is None else coded(audio, storing.audio_codec), video)


def read_piece(
    path: str,
    piece: Piece,
    times: tuple[float, ...],
    shorter_side: int | None,
    first: float,
    seconds: float | None,
    limits: Limits,
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """Some frames `[T, H, W, 3]` of a clip, their times `[T]` from its start, and a stretch of its sound `[S]`.

    Args:
        path: the file.
        piece: the clip.
        times: times within the file; empty for no frames.
        shorter_side: pixels of the frames' shorter side; None keeps their size.
        first: where the sound begins within the clip.
        seconds: length of the sound; None for no sound.
        limits: on decoding.

    Raises:
        MediaError: if it cannot be decoded.
    """
    begin = piece.span.start_seconds
    span = None if seconds is None else (begin + first, seconds)
    frames, audio = read_clip(
        path, times, span, shorter_side=shorter_side, limits=limits, header_tells=piece.header_tells
    )
    if frames is None:
        return None, None, audio
    return frames.pixels, np.maximum(frames.seconds - begin, 0.0), audio


def coded(audio: np.ndarray, codec: str) -> bytes:
    """int16 `[S]` sound as stored."""
    return encode_flac(audio) if codec == "flac" else audio.astype("<i2").tobytes()


def _video(path: str | bytes, piece: Piece, storing: Storing, audio: np.ndarray | None, limits: Limits) -> bytes | None:
    """The clip as a file: the bytes as they are where it is the whole file, coded anew at `size` where it is cut."""
    if piece.whole:
        return path if isinstance(path, bytes) else Path(path).read_bytes()
    if not piece.frames_per_second:
        return None
    rate = min(piece.frames_per_second, _VIDEO_RATE)
    count = max(1, int(piece.span.duration_seconds * rate))
    times = piece.span.start_seconds + np.arange(count) / rate
    shown = read_frames(
        path, times[times <= max(piece.frame_times[-1], times[0])], shorter_side=storing.size, limits=limits
    )
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, "clip.mp4")
        write_video(written, _even(shown.pixels), rate, audio)
        return written.read_bytes()


def _even(pixels: np.ndarray) -> np.ndarray:
    """Pictures with even sides, as video coding wants them."""
    height, width = pixels.shape[1] // 2 * 2, pixels.shape[2] // 2 * 2
    return pixels[:, :height, :width]
