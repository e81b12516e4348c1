"""What can be seen and heard of a clip: thumbnail, sound, and a video that every browser plays.

The table's own video is given as it is where a browser may play it; else one is made of the clip's frames and sound,
and kept on the disk for a while.
"""

import io
import secrets
import threading
from collections import OrderedDict
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

from seehear.errors import StorageError
from seehear.media import decode_jpeg, encode_jpeg, encode_wav, write_video
from seehear.search.embedded_table import EmbeddedTable
from seehear.search.service.refused import RefusedError

THUMBNAIL_SIDE = 256
_THUMBNAILS = 2000
_FRAMES_PER_SECOND = 10
_MOST_FRAMES = 240
_ISO = b"ftyp"
_WEBM = b"webm"


class Shown:
    """Files of a table's clips.

    Args:
        table: the table.
        folder: where made videos lie; nobody else reads it.
        most_bytes: of made videos together.
    """

    def __init__(self, table: EmbeddedTable, folder: Path, most_bytes: int):
        self._table, self._folder, self._most = table, folder, most_bytes
        self._made: OrderedDict[int, tuple[Path, int]] = OrderedDict()
        self._making = threading.Lock()
        self.thumbnail = lru_cache(_THUMBNAILS)(self._thumbnail)

    def _thumbnail(self, row: int) -> bytes:
        """JPEG of the clip's middle frame, at most 256 pixels on the shorter side.

        Raises:
            RefusedError: 404 where it has no picture.
            MediaError, StorageError: if it cannot be read.
        """
        stored = self._frames(row)
        data = stored[len(stored) // 2]
        pixels = decode_jpeg(data)
        step = min(pixels.shape[:2]) / THUMBNAIL_SIDE
        return data if step <= 1 else encode_jpeg(_smaller(pixels, step), quality=85)

    def sound(self, row: int) -> bytes:
        """WAV, 16 kHz mono.

        Raises:
            RefusedError: 404 where it has no sound.
            MediaError, StorageError: if it cannot be read.
        """
        waveform = self._table.sound_of(row)
        if waveform is None or not len(waveform):
            raise RefusedError(404, "no-sound", "this clip has no sound")
        return encode_wav(waveform)

    def video(self, row: int, made: bool = False) -> tuple[bytes, str]:
        """The clip as a video file, and its media type.

        Args:
            row: of the clip.
            made: make one even where the table keeps one (which this browser cannot play).

        Raises:
            RefusedError: 404 where it has no picture.
            MediaError, StorageError: if it cannot be read.
        """
        stored = None if made else self._table.video_of(row)
        kind = None if stored is None else _played_by_browsers(stored)
        if stored is not None and kind is not None:
            return stored, kind
        with self._making:
            return self._kept(row) or self._make(row), "video/mp4"

    def _kept(self, row: int) -> bytes | None:
        if row not in self._made:
            return None
        self._made.move_to_end(row)
        return self._made[row][0].read_bytes()

    def _make(self, row: int) -> bytes:
        frames = np.stack([_even(decode_jpeg(data)) for data in self._frames(row)])
        seconds = max(float(self._table.duration_seconds[row]), 0.1)
        rate = min(_FRAMES_PER_SECOND, _MOST_FRAMES / seconds)
        count = max(1, round(seconds * rate))
        places = np.minimum((np.arange(count) + 0.5) / count * len(frames), len(frames) - 1).astype(int)
        path = self._folder / f"{secrets.token_hex(16)}.mp4"
        write_video(path, frames[places], Fraction(rate).limit_denominator(1000), self._table.sound_of(row))
        data = path.read_bytes()
        self._made[row] = (path, len(data))
        while sum(size for _, size in self._made.values()) > self._most:
            self._made.popitem(last=False)[1][0].unlink(missing_ok=True)
        return data

    def _frames(self, row: int) -> list[bytes]:
        stored = self._table.frames_of(row)
        if not stored:
            raise RefusedError(404, "no-picture", "this clip has no picture")
        return stored


def _smaller(pixels: np.ndarray, step: float) -> np.ndarray:
    """A picture reduced by `step`, each new pixel the mean of those it covers."""
    import torch
    from torch.nn.functional import interpolate

    height, width = (max(1, round(side / step)) for side in pixels.shape[:2])
    planes = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float()
    small = interpolate(planes, (height, width), mode="area")[0].round().byte()
    return small.permute(1, 2, 0).contiguous().numpy()


def _even(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[0] // 2 * 2, pixels.shape[1] // 2 * 2
    if not height or not width:
        raise StorageError(f"a frame of {pixels.shape[1]} x {pixels.shape[0]} pixels", expected="at least 2 x 2")
    return pixels[:height, :width]


def _played_by_browsers(data: bytes) -> str | None:
    """Media type of a stored file by its first bytes; None for what browsers do not play."""
    head = io.BytesIO(data).read(64)
    if head[4:8] == _ISO:
        return "video/mp4"
    return "video/webm" if head.startswith(b"\x1a\x45\xdf\xa3") and _WEBM in head else None
