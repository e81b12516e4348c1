"""Arrays as pictures in the page: JPEG for photographs, PNG where cells are see-through or coloured by a table.

Legend: H W picture, T spectrogram frames, F mel bins.
"""

import struct
import zlib
from functools import cache

import numpy as np

from seehear.reports.markup import data_uri

THUMBNAIL_SIDE = 224  # longest side in pixels: twice what a phone shows
SPECTROGRAM_FRAMES = 400  # more are averaged down: no screen shows them
JPEG_QUALITY = 85
_HIDDEN = 255  # palette entry of a hidden cell


def photograph(pixels: np.ndarray) -> str:
    """uint8 `[H, W, 3]` -> data URI of a JPEG whose longest side is at most `THUMBNAIL_SIDE`."""
    from seehear.media import encode_jpeg

    return data_uri("image/jpeg", encode_jpeg(shrink(pixels), quality=JPEG_QUALITY))


def photograph_with_holes(pixels: np.ndarray, hidden: np.ndarray) -> str:
    """uint8 `[H, W, 3]`, bool `[H, W]` -> data URI of a PNG that is transparent where hidden."""
    pixels = np.where(hidden[..., None], 0, pixels).astype(np.uint8)
    opaque = np.where(hidden, 0, 255).astype(np.uint8)[..., None]
    return data_uri("image/png", encode_png(np.concatenate([pixels, opaque], axis=2)))


def spectrogram(
    log_mel: np.ndarray, low: float, high: float, hidden: np.ndarray | None = None, table: str = "magma"
) -> str:
    """Log-mel `[T, F]` -> data URI of a PNG: time to the right, frequency upward.

    Args:
        log_mel: `[T, F]`; what is not finite is drawn as `low`.
        low: value of the darkest colour.
        high: value of the brightest colour.
        hidden: bool `[T, F]`, transparent there.
        table: a perceptually uniform colour map of matplotlib.
    """
    log_mel, hidden = _fewer_frames(log_mel, hidden)
    scaled = (np.nan_to_num(log_mel, nan=low, posinf=high, neginf=low) - low) / max(high - low, 1e-9)
    indices = np.round(scaled.clip(0, 1) * (_HIDDEN - 1)).astype(np.uint8)
    indices[hidden] = _HIDDEN
    return data_uri("image/png", encode_png(np.flipud(indices.T)[..., None], _colours(table)))


def shrink(pixels: np.ndarray) -> np.ndarray:
    """uint8 `[H, W, 3]` averaged in whole cells until no side is above `THUMBNAIL_SIDE` (the odd edge is cut)."""
    factor = -(-max(pixels.shape[:2]) // THUMBNAIL_SIDE)
    factor = min(factor, *pixels.shape[:2]) if factor > 1 else 1
    height, width = (side // factor for side in pixels.shape[:2])
    cut = pixels[: height * factor, : width * factor]
    cells = cut.reshape(height, factor, width, factor, 3)
    return np.round(cells.mean(axis=(1, 3))).astype(np.uint8) if factor > 1 else np.ascontiguousarray(pixels)


def encode_png(pixels: np.ndarray, colours: np.ndarray | None = None) -> bytes:
    """uint8 `[H, W, C]` -> PNG (W3C, third edition): C 1 with a table `[256, 4]` of RGBA colours, 3 (RGB) or 4 (RGBA).

    Matplotlib writes no colour tables, and without one a spectrogram is three times as large.
    """
    height, width, channels = pixels.shape
    kind = 3 if colours is not None else {3: 2, 4: 6}[channels]
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # each row begins with filter 0: none
    rows[:, 1:] = pixels.reshape(height, -1)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))]
    if colours is not None:
        chunks += [(b"PLTE", colours[:, :3].tobytes()), (b"tRNS", colours[:, 3].tobytes())]
    chunks += [(b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _fewer_frames(log_mel: np.ndarray, hidden: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Whole groups of frames averaged, so that at most `SPECTROGRAM_FRAMES` remain; hidden where most were."""
    hidden = np.zeros(log_mel.shape, bool) if hidden is None else hidden
    group = -(-len(log_mel) // SPECTROGRAM_FRAMES)
    if group <= 1:
        return log_mel, hidden
    count = len(log_mel) // group
    shape = (count, group, log_mel.shape[1])
    return (
        log_mel[: count * group].reshape(shape).mean(axis=1),
        hidden[: count * group].reshape(shape).mean(axis=1) > 0.5,
    )


@cache
def _colours(table: str) -> np.ndarray:
    """RGBA table `[256, 4]` uint8 of a matplotlib colour map; its last entry is transparent."""
    from matplotlib import colormaps

    colours = np.round(colormaps[table](np.linspace(0, 1, 256)) * 255).astype(np.uint8)
    colours[_HIDDEN] = 0
    return colours
