"""What a media file holds: the facts that `probe` returns, and the frames that `read_frames` returns.

All times are seconds on the presentation clock: 0 is where a player starts, after edit lists and encoder priming.
Legend: T frames, H W picture.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

SAMPLE_RATE = 16_000  # of all sound that leaves this room

Kind = Literal["video", "image", "audio"]


@dataclass(frozen=True)
class VideoTrack:
    """The pictures of a file.

    Attributes:
        codec: FFmpeg's name, or "jpeg", "png", "webp" for a still picture.
        width: pixels as shown: after rotation, and stretched to square pixels.
        height: pixels as shown.
        rotation: degrees clockwise by which the stored picture is turned to be shown: 0, 90, 180 or 270.
        frames_per_second: frames over the time they are shown; 0 for a single picture.
        start_seconds: when the first frame is shown.
        last_frame_seconds: when the last frame is shown.
        duration_seconds: when the last frame ends; 0 for a still picture.
        frames: number of frames that are shown, counted by packets and not taken from the header.
    """

    codec: str
    width: int
    height: int
    rotation: int
    frames_per_second: float
    start_seconds: float
    last_frame_seconds: float
    duration_seconds: float
    frames: int


@dataclass(frozen=True)
class AudioTrack:
    """The sound of a file.

    Attributes:
        codec: FFmpeg's name.
        sample_rate: samples per second as stored.
        channels: as stored.
        start_seconds: when the first sample is heard.
        duration_seconds: length from the first sample to the last, without encoder priming.
    """

    codec: str
    sample_rate: int
    channels: int
    start_seconds: float
    duration_seconds: float


@dataclass(frozen=True)
class MediaInfo:
    """Facts of one file.

    Attributes:
        path: as given ("" for bytes).
        kind: "video" with moving pictures, "image" with a single picture (`audio` may still be there: a picture with
            sound), "audio" with sound only. Album art is not a picture.
        container: "mp4", "matroska", "wav", "jpeg", ...
        duration_seconds: end of the last frame or sample; 0 for a still picture without sound.
        video: the first video track, or None.
        audio: the first sound track, or None.
        truncated: the header promises more than half a second beyond what the file holds.
        header_tells: opening the file by its header alone tells the same of its tracks as trying out their first
            packets, so that it may be read that way, which is quicker.
    """

    path: str
    kind: Kind
    container: str
    duration_seconds: float
    video: VideoTrack | None
    audio: AudioTrack | None
    truncated: bool = False
    header_tells: bool = False


@dataclass(frozen=True)
class Frames:
    """Some frames of a video.

    Attributes:
        pixels: uint8 RGB `[T, H, W, 3]`.
        seconds: float64 `[T]`, when each of these frames really begins to be shown.
    """

    pixels: np.ndarray
    seconds: np.ndarray
