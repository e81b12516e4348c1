"""Sound as FLAC and WAV bytes: lossless, 16-bit, mono, 16 kHz unless said otherwise.

Legend: S samples.
"""

import io
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from seehear.errors import MediaError, SkipReason, UsageError
from seehear.media.atomic import atomic_file
from seehear.media.tracks import SAMPLE_RATE


def encode_flac(waveform: np.ndarray, sample_rate: int = SAMPLE_RATE) -> bytes:
    """FLAC bytes of an int16 `[S]` waveform (about half of WAV's size, exact).

    Raises:
        UsageError: on another shape or type.
    """
    _check(waveform)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="flac", container_options={"metadata_header_padding": "0"}) as container:
        stream = container.add_stream("flac", rate=sample_rate, layout="mono", format="s16")
        frame = av.AudioFrame.from_ndarray(waveform[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = sample_rate, 0, Fraction(1, sample_rate)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def decode_flac(data: bytes) -> np.ndarray:
    """The int16 `[S]` waveform of mono 16-bit FLAC bytes, as stored (no resampling).

    Raises:
        MediaError: where the bytes are not a whole mono 16-bit FLAC stream.
    """
    if not data:
        raise MediaError(SkipReason.EMPTY, "0 bytes of FLAC")
    if data[:4] != b"fLaC":
        raise MediaError(SkipReason.NOT_MEDIA, f"bytes begin with {data[:4]!r}", expected="b'fLaC'")
    try:
        with av.open(io.BytesIO(data), "r", format="flac") as container:
            blocks = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
            declared = container.streams.audio[0].duration
    except av.FFmpegError as error:
        raise MediaError(SkipReason.TRUNCATED, f"FLAC: {error.strerror}") from error
    waveform = np.concatenate(blocks) if blocks else np.zeros(0, np.int16)
    if waveform.dtype != np.int16 or (declared and len(waveform) != declared):
        raise MediaError(
            SkipReason.TRUNCATED, f"FLAC with {len(waveform)} {waveform.dtype} samples", expected=f"{declared} int16"
        )
    return waveform


def write_flac(path: str | Path, waveform: np.ndarray, sample_rate: int = SAMPLE_RATE) -> None:
    """Write an int16 `[S]` waveform as a FLAC file, whole or not at all.

    Raises:
        StorageError: where the file cannot be written.
    """
    with atomic_file(path) as file:
        file.write(encode_flac(waveform, sample_rate))


def encode_wav(waveform: np.ndarray, sample_rate: int = SAMPLE_RATE) -> bytes:
    """WAV bytes (16-bit PCM) of an int16 `[S]` waveform: what every browser plays.

    Raises:
        UsageError: on another shape or type.
    """
    _check(waveform)
    samples = waveform.astype("<i2").tobytes()
    layout = struct.pack("<HHIIHH", 1, 1, sample_rate, 2 * sample_rate, 2, 16)
    chunks = b"WAVEfmt " + struct.pack("<I", len(layout)) + layout + b"data" + struct.pack("<I", len(samples))
    return b"RIFF" + struct.pack("<I", len(chunks) + len(samples)) + chunks + samples


def _check(waveform: np.ndarray) -> None:
    if waveform.ndim != 1 or waveform.dtype != np.int16 or len(waveform) == 0:
        raise UsageError(f"waveform is {waveform.shape} {waveform.dtype}", expected="int16 [S >= 1]")
