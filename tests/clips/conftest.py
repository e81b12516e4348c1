"""Real clips, and writers of small media files."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def real_media() -> Path:
    if "SEEHEAR_MEDIA" not in os.environ:
        pytest.skip("SEEHEAR_MEDIA does not name the folder of real clips")
    return Path(os.environ["SEEHEAR_MEDIA"])


@pytest.fixture
def write_wav() -> Callable[..., Path]:
    """Writes a sound file whose samples count up from 0."""

    def write(path: Path, seconds: float = 0.5) -> Path:
        from seehear.media import encode_wav

        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_wav((np.arange(round(seconds * 16_000)) % 30_000).astype(np.int16)))
        return path

    return write


@pytest.fixture
def write_video() -> Callable[..., Path]:
    """Writes a video of grey frames, with or without sound."""

    def write(path: Path, seconds: float = 1.0, sound: bool = True, size: tuple[int, int] = (32, 48)) -> Path:
        from seehear.media import write_video as write_mp4

        path.parent.mkdir(parents=True, exist_ok=True)
        count = round(seconds * 10)
        pixels = (
            np.zeros((count, *size, 3), dtype=np.uint8)
            + np.linspace(20, 230, count).astype(np.uint8)[:, None, None, None]
        )
        tone = (8_000 * np.sin(np.arange(round(seconds * 16_000)) / 5)).astype(np.int16)
        write_mp4(path, pixels, 10, tone if sound else None)
        return path

    return write
