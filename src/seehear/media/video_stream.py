"""Writing mp4 piece by piece: frames and the sound beside them, of any length, in bounded memory.

The same encoders and settings as `video_writer`, but sound and pictures lie beside each other in the file, and key
frames come every second, as players want of clips to be watched.

Legend: T frames of a piece, H W picture, S samples of the whole sound.
"""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from seehear.errors import UsageError
from seehear.media.atomic import atomic_file
from seehear.media.encoders import encoder_for
from seehear.media.tracks import SAMPLE_RATE
from seehear.media.video_writer import AUDIO_BITS_PER_SECOND, WrittenVideo, picture_frame, video_options

CRF, PRESET = 20, "veryfast"
_OPENH264_BITS_PER_PIXEL = 0.2


def stream_video(
    path: str | Path,
    pieces: Iterable[np.ndarray],
    frames_per_second: float | Fraction,
    waveform: np.ndarray | None = None,
) -> WrittenVideo:
    """Write frames as they come, with sound beside them, as mp4: whole or not at all.

    Args:
        path: the file; what it held is replaced when the new one is complete.
        pieces: uint8 RGB `[T, H, W, 3]` each, all of one even H and W.
        frames_per_second: of the pictures.
        waveform: int16 `[S]` at 16 kHz mono, or None for a file without sound.

    Raises:
        UsageError: on pieces of another shape or type, or none.
        StorageError: where the file cannot be written.
    """
    codec, rate = encoder_for(), Fraction(frames_per_second).limit_denominator(1_000_000)
    with atomic_file(path) as file, av.open(file, "w", format="mp4") as container:
        video: Any = container.add_stream(codec, rate=rate, options=video_options(codec, round(rate) or 1, CRF, PRESET))
        sound = None if waveform is None else _Sound(container, waveform)
        size, shown, reformatter = None, 0, VideoReformatter()
        for pixels in pieces:
            size = _begun(video, codec, pixels, rate) if size is None else size
            _check(pixels, size)
            for picture in pixels:
                frame = picture_frame(picture, reformatter)
                frame.pts, frame.time_base = shown, 1 / rate
                container.mux(video.encode(frame))
                shown += 1
            if sound is not None:
                sound.up_to(shown / rate)
        if size is None:
            raise UsageError("no frames to write", expected="at least one")
        container.mux(video.encode(None))
        if sound is not None:
            sound.finish()
    return WrittenVideo(codec, None if waveform is None else "aac")


def _begun(video: Any, codec: str, pixels: np.ndarray, rate: Fraction) -> tuple[int, int]:
    """Settle the size by the first piece."""
    if pixels.ndim != 4 or pixels.shape[1] % 2 or pixels.shape[2] % 2:
        raise UsageError(f"frames are {pixels.shape}", expected="[T, even H, even W, 3]")
    height, width = pixels.shape[1:3]
    video.height, video.width, video.pix_fmt = height, width, "yuv420p"
    video.codec_context.thread_count = 1
    video.codec_context.colorspace, video.codec_context.color_range = Colorspace.SMPTE170M, ColorRange.MPEG
    if codec == "libopenh264":
        video.bit_rate = int(_OPENH264_BITS_PER_PIXEL * height * width * rate)
    return height, width


def _check(pixels: np.ndarray, size: tuple[int, int]) -> None:
    if pixels.ndim != 4 or pixels.shape[1:] != (*size, 3) or pixels.dtype != np.uint8:
        raise UsageError(f"frames are {pixels.shape} {pixels.dtype}", expected=f"uint8 [T, {size[0]}, {size[1]}, 3]")


class _Sound:
    """The sound track, encoded up to where the pictures are."""

    def __init__(self, container: Any, waveform: np.ndarray):
        if waveform.ndim != 1 or len(waveform) == 0 or waveform.dtype != np.int16:
            raise UsageError(f"waveform is {waveform.shape} {waveform.dtype}", expected="int16 [S >= 1] at 16 kHz")
        self._container, self._waveform, self._done = container, waveform, 0
        self._stream = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono", options={"aac_coder": "fast"})
        self._stream.bit_rate = AUDIO_BITS_PER_SECOND

    def up_to(self, seconds: Fraction | float) -> None:
        """Encode what is heard before `seconds`."""
        end = min(len(self._waveform), int(seconds * SAMPLE_RATE))
        if end <= self._done:
            return
        samples = (self._waveform[self._done : end].astype(np.float32) / 32768.0)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, self._done, Fraction(1, SAMPLE_RATE)
        self._container.mux(self._stream.encode(frame))
        self._done = end

    def finish(self) -> None:
        """Encode what is left."""
        self.up_to(len(self._waveform) / SAMPLE_RATE + 1)
        self._container.mux(self._stream.encode(None))
