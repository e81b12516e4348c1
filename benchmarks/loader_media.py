"""The media that the loader's benchmark reads: made here, so that it runs anywhere and always on the same pictures.

A clip is 10 s at 30 frames per second with a key frame every 30 frames and AAC sound: a smooth random texture that the
camera pans over, a patch that crosses it, and a tone in noise. At 398 x 224 a file holds about 0.3 MB, in the middle
of what clips of that size take. Two kinds: "own" as this package writes (no B-frames, 16 kHz mono), "other" as
ffmpeg's defaults give (B-frames, 44.1 kHz stereo).
"""

import io
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from seehear.media import write_video

SECONDS, FRAMES_PER_SECOND, GOP = 10, 30, 30
_STEEPNESS = 2.4  # of the texture's spectrum: steeper is smoother and takes fewer bytes
_CRF = 23
_MARGIN = 64  # pixels that the camera pans at most


def pictures(seed: int, width: int, height: int) -> np.ndarray:
    """uint8 RGB `[300, H, W, 3]`."""
    rng = np.random.default_rng(seed)
    texture = _texture(rng, width + 2 * _MARGIN, height + 2 * _MARGIN)
    patch = rng.integers(0, 256, 3, dtype=np.uint8)
    side, count = height // 5, SECONDS * FRAMES_PER_SECOND
    frames = np.empty((count, height, width, 3), np.uint8)
    for index in range(count):
        top = round(_MARGIN * (1 + np.sin(index / 47 + seed)))
        left = round(_MARGIN * (1 + np.cos(index / 61 + seed)))
        frames[index] = texture[top : top + height, left : left + width]
        across = (index * width // 150 + 31 * seed) % (width - side)
        frames[index, side : 2 * side, across : across + side] = patch
    return frames


def _texture(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """uint8 `[H, W, 3]` of noise whose amplitude falls with frequency, as that of photographs does."""
    noise = np.fft.rfft2(rng.standard_normal((3, height, width)))
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    smooth = np.fft.irfft2(noise / (0.01 + frequency) ** _STEEPNESS, s=(height, width))
    low, high = smooth.min(axis=(1, 2), keepdims=True), smooth.max(axis=(1, 2), keepdims=True)
    return ((smooth - low) / (high - low) * 255).astype(np.uint8).transpose(1, 2, 0)


def sound(seed: int, rate: int) -> np.ndarray:
    """int16 `[S]`: a tone in noise."""
    rng, times = np.random.default_rng(seed), np.arange(SECONDS * rate) / rate
    tone = 0.2 * np.sin(2 * np.pi * rng.uniform(150, 2000) * times)
    return (32767 * (tone + 0.05 * rng.standard_normal(len(times))).clip(-1, 1)).astype(np.int16)


def write_own(path: Path, seed: int, width: int, height: int) -> None:
    """A clip as this package writes it."""
    write_video(path, pictures(seed, width, height), FRAMES_PER_SECOND, sound(seed, 16_000), gop=GOP, crf=_CRF)


def write_other(path: Path, seed: int, width: int, height: int) -> None:
    """A clip as ffmpeg's defaults give it: H.264 with B-frames, AAC at 44.1 kHz in stereo."""
    buffer, rate = io.BytesIO(), 44_100
    with av.open(buffer, "w", format="mp4") as container:
        options = {"g": str(GOP), "keyint_min": str(GOP), "sc_threshold": "0", "crf": str(_CRF)}
        video = container.add_stream("libx264", rate=FRAMES_PER_SECOND, options=options)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.thread_count = 1
        audio = container.add_stream("aac", rate=rate, layout="stereo")
        audio.bit_rate = 128_000
        for picture in pictures(seed, width, height):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
        samples = np.stack([sound(seed, rate), sound(seed + 1, rate)]).astype(np.float32) / 32768
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    path.write_bytes(buffer.getvalue())


def write_wav(path: Path, seed: int) -> None:
    """The sound of a clip alone, 16 kHz mono, as loaders keep it that read sound apart."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(sound(seed, 16_000).tobytes())


KINDS = {"own": write_own, "other": write_other}


def make(folder: Path, kind: str, count: int, width: int, height: int) -> list[Path]:
    """Write `count` clips of a kind, each with its wav beside it in `folder.wav`; returns the mp4 files."""
    sounds = folder.with_suffix(".wav")
    folder.mkdir(parents=True, exist_ok=True)
    sounds.mkdir(exist_ok=True)
    paths = [folder / f"clip{number:04}.mp4" for number in range(count)]
    for number, path in enumerate(paths):
        if not path.exists():
            KINDS[kind](path, number, width, height)
            write_wav(sounds / f"{path.stem}.wav", number)
    return paths
