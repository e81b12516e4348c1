"""Mutated files: a typed error or a valid result, in bounded time and memory, and the parent lives on."""

import contextlib
import io

import numpy as np
import pytest
from PIL import Image

from seehear.errors import MediaError
from seehear.media import Limits, MediaInfo, Pool, encode_flac, encode_jpeg, encode_wav, write_video
from tests.media.making import numbered, reference, sound, video
from tests.media.misbehaving import everything

LIMITS = Limits(resident_bytes=800 * 2**20, cpu_seconds=10)


def seeds(tmp_path):
    """Small whole files of many kinds, by name."""
    write_video(tmp_path / "both.mp4", numbered(20), 25, reference(0.8))
    png, webp = io.BytesIO(), io.BytesIO()
    Image.fromarray(numbered(1)[0]).save(png, "PNG")
    Image.fromarray(numbered(1)[0]).save(webp, "WEBP")
    short = numbered(12)
    return {
        "both.mp4": (tmp_path / "both.mp4").read_bytes(),
        "reordered.mp4": video(short, options={"bf": "2"}),
        "h264.mkv": video(short, container="matroska"),
        "h264.ts": video(short, container="mpegts"),
        "hevc.mp4": video(
            short, codec="libx265", options={"preset": "ultrafast", "x265-params": "log-level=none:pools=none"}
        ),
        "vp9.webm": video(short, codec="libvpx-vp9", container="webm", options={"deadline": "realtime"}),
        "av1.mp4": video(numbered(12, 64, 96), codec="libsvtav1", options={"preset": "12"}),
        "mpeg4.avi": video(short, codec="mpeg4", container="avi", options={"bf": "2"}),
        "mjpeg.avi": video(short, codec="mjpeg", container="avi", pixel_format="yuvj420p"),
        "mpeg2.mpg": video(short, codec="mpeg2video", container="mpeg"),
        "flv1.flv": video(short, codec="flv", container="flv"),
        "wmv2.wmv": video(short, codec="wmv2", container="asf"),
        "ffv1.mkv": video(short, codec="ffv1", container="matroska"),
        "aac.m4a": sound(0.5, codec="aac", container="mp4", rate=44_100, layout="stereo"),
        "mp3.mp3": sound(0.5, codec="libmp3lame", container="mp3", rate=44_100),
        "opus.ogg": sound(0.5, codec="libopus", container="ogg", rate=48_000),
        "vorbis.ogg": sound(0.5, codec="vorbis", container="ogg", rate=44_100, layout="stereo"),
        "ac3.mkv": sound(0.5, codec="ac3", container="matroska", rate=48_000, layout="5.1"),
        "alac.m4a": sound(0.5, codec="alac", container="mov", rate=44_100),
        "flac.flac": encode_flac(reference(0.5)),
        "pcm.wav": encode_wav(reference(0.5)),
        "still.jpg": encode_jpeg(numbered(1)[0]),
        "still.png": png.getvalue(),
        "still.webp": webp.getvalue(),
    }


def mutated(data, other, rng):
    """A damaged copy: flipped bits, lost or doubled stretches, wild numbers, a cut end, a stretch of another file."""
    body = bytearray(data)
    kind = rng.integers(7)
    # half of the damage goes where headers are
    place = int(rng.integers(len(body) if rng.random() < 0.5 else min(400, len(body))))
    length = int(rng.integers(1, 64))
    if kind <= 1:
        for position in rng.integers(0, len(body), rng.integers(1, 20)):
            body[position] ^= 1 << int(rng.integers(8))
    elif kind == 2:
        body[place : place + 4] = rng.choice([b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff", b"\x80\0\0\0"])
    elif kind == 3:
        del body[place : place + length]
    elif kind == 4:
        body[place:place] = body[place : place + length]
    elif kind == 5:
        body = body[: max(1, place)]
    else:
        start = int(rng.integers(len(other)))
        body[place : place + length] = other[start : start + length]
    return bytes(body)


def fuzz(tmp_path, count, seed):
    files = seeds(tmp_path)
    rng = np.random.default_rng(seed)
    names = [str(name) for name in rng.choice(list(files), count)]
    others = [files[str(name)] for name in rng.choice(list(files), count)]
    damaged = [mutated(files[name], other, rng) for name, other in zip(names, others, strict=True)]
    errors = 0
    with Pool(2, limits=LIMITS, deadline_seconds=20) as pool:
        for name, outcome in zip(names, pool.map(everything, damaged), strict=True):
            assert isinstance(outcome, MediaError | tuple), name
            if isinstance(outcome, MediaError):
                errors += 1
                continue
            info, frames, samples = outcome
            assert isinstance(info, MediaInfo)
            assert np.isfinite(info.duration_seconds)
            if frames is not None:
                assert frames.pixels.dtype == np.uint8
                assert frames.pixels.ndim == 4
                assert np.isfinite(frames.seconds).all()
            if samples is not None:
                assert samples.dtype == np.int16
                assert 0 < len(samples) <= 16_000 * 601
        assert pool.submit(everything, files["both.mp4"]).result()[2] is not None
    assert 0.1 < errors / count < 0.95  # the mutator neither spares nor destroys everything


def test_mutated_files(tmp_path):
    fuzz(tmp_path, 500, 0)


@pytest.mark.full
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(1, 6))
def test_many_mutated_files(tmp_path, seed):
    fuzz(tmp_path, 2000, seed)


def test_every_truncation_is_typed_or_whole(tmp_path):
    for data in seeds(tmp_path).values():
        for length in np.linspace(1, len(data) - 1, 8).astype(int):
            with contextlib.suppress(MediaError):  # and nothing else
                everything(data[:length])
