"""Video written piece by piece: the same frames and sound as went in, whole or not at all."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from seehear.errors import UsageError
from seehear.media import probe, read_audio, read_frames, stream_video

RATE = Fraction(25)


def _piece(first: int, count: int) -> np.ndarray:
    """Grey frames, each of its own brightness."""
    levels = (20 + 4 * np.arange(first, first + count)).astype(np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (count, 48, 64, 3))


def test_pieces_join_into_one_video_with_its_sound(tmp_path: Path) -> None:
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(32_000) / 16_000)).astype(np.int16)
    stream_video(tmp_path / "a.mp4", [_piece(0, 13), _piece(13, 1), _piece(14, 36)], RATE, tone)
    info = probe(tmp_path / "a.mp4")
    assert info.video is not None
    assert info.audio is not None
    assert (info.video.frames, info.video.width, info.video.height) == (50, 64, 48)
    assert info.audio.duration_seconds == pytest.approx(2.0, abs=0.05)
    shown = read_frames(tmp_path / "a.mp4", (np.arange(50) + 0.5) / 25).pixels.mean(axis=(1, 2, 3))
    assert np.abs(shown - (20 + 4 * np.arange(50))).max() < 2
    heard = read_audio(tmp_path / "a.mp4")[4000:28_000].astype(float)
    spectrum = np.abs(np.fft.rfft(heard))
    assert spectrum.argmax() * 16_000 / len(heard) == pytest.approx(440, abs=1)


def test_sound_may_outlast_the_pictures(tmp_path: Path) -> None:
    stream_video(tmp_path / "a.mp4", [_piece(0, 10)], RATE, np.ones(16_000, np.int16))
    info = probe(tmp_path / "a.mp4")
    assert info.audio is not None
    assert info.audio.duration_seconds == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    ("pieces", "waveform", "says"),
    [
        ([], None, "no frames"),
        ([np.zeros((2, 15, 16, 3), np.uint8)], None, "even H"),
        ([np.zeros((2, 16, 16, 3), np.uint8), np.zeros((2, 16, 18, 3), np.uint8)], None, "16, 16, 3"),
        ([np.zeros((2, 16, 16, 3), np.float32)], None, "float32"),
        ([np.zeros((2, 16, 16, 3), np.uint8)], np.zeros(5, np.float32), "int16"),
    ],
)
def test_wrong_pieces_leave_no_file(
    pieces: list[np.ndarray], waveform: np.ndarray | None, says: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=says):
        stream_video(tmp_path / "a.mp4", pieces, RATE, waveform)
    assert not list(tmp_path.iterdir())
