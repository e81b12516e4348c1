"""Writing: mp4, FLAC, WAV, JPEG, whole or not at all."""

import errno
import io
from fractions import Fraction

import av
import numpy as np
import pytest
import scipy.io.wavfile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from seehear.errors import MediaError, SkipReason, StorageError, UsageError
from seehear.media import (
    Limits,
    atomic,
    decode_flac,
    decode_jpeg,
    encode_flac,
    encode_jpeg,
    encode_wav,
    encoders,
    probe,
    read_frames,
    write_flac,
    write_video,
)
from tests.media.making import numbered, numbers, reference


def packets(path, kind):
    with av.open(str(path)) as container:
        return [p for p in container.demux(getattr(container.streams, kind)[0]) if p.size]


@pytest.mark.parametrize(("gop", "count"), [(10, 40), (7, 40), (100, 40)])
def test_key_frames_come_every_gop_and_nowhere_else(tmp_path, gop, count):
    pixels = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)  # every frame is a new scene
    written = write_video(tmp_path / "clip.mp4", pixels, 12.5, gop=gop)
    assert written.video_codec == "libx264"
    assert written.audio_codec is None
    found = packets(tmp_path / "clip.mp4", "video")
    assert [i for i, p in enumerate(found) if p.is_keyframe] == list(range(0, count, gop))
    assert [p.pts for p in found] == [p.dts for p in found]  # no reordering


def test_pictures_survive(tmp_path):
    pixels = (
        np.stack([np.add.outer(np.arange(64), np.arange(96)) + 2 * t for t in range(5)])[..., None] + [0, 40, 20]
    ) % 256
    pixels = np.abs(pixels - 128).astype(np.uint8) + 60
    write_video(tmp_path / "clip.mp4", pixels, Fraction(30_000, 1001))
    found = read_frames(tmp_path / "clip.mp4", np.arange(5) * 1001 / 30_000)
    noise = np.mean((found.pixels.astype(float) - pixels) ** 2)
    assert 10 * np.log10(255**2 / noise) > 35
    assert probe(tmp_path / "clip.mp4").video.frames_per_second == pytest.approx(30_000 / 1001)


def test_crf_and_preset_reach_the_encoder(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (10, 64, 64, 3), dtype=np.uint8)
    sizes = []
    for options in ({"crf": 18}, {"crf": 40}, {"crf": 18, "preset": "ultrafast"}):
        write_video(tmp_path / "clip.mp4", pixels, 10, **options)
        sizes.append((tmp_path / "clip.mp4").stat().st_size)
    assert sizes[1] < sizes[0] / 2
    assert sizes[2] != sizes[0]


@pytest.mark.parametrize("codec", ["mpeg4"])
def test_without_x264_another_encoder_takes_over_and_is_named(tmp_path, monkeypatch, codec):
    monkeypatch.setattr(encoders, "has_encoder", lambda name: name == codec)
    written = write_video(tmp_path / "clip.mp4", numbered(40, 96, 96), 12.5, reference(3.2))
    assert (written.video_codec, written.audio_codec) == (codec, "aac")
    assert numbers(read_frames(tmp_path / "clip.mp4", np.arange(40) / 12.5).pixels) == list(range(40))
    keys = [i for i, p in enumerate(packets(tmp_path / "clip.mp4", "video")) if p.is_keyframe]
    assert keys == [0, 10, 20, 30]


def test_no_encoder_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(encoders, "has_encoder", lambda name: False)
    with pytest.raises(UsageError, match="none of the encoders libx264"):
        write_video(tmp_path / "clip.mp4", numbered(4), 25)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((4, 48, 97, 3), "u1"),
        ((4, 47, 96, 3), "u1"),
        ((0, 48, 96, 3), "u1"),
        ((48, 96, 3), "u1"),
        ((4, 48, 96, 3), "f4"),
    ],
)
def test_pictures_that_cannot_be_written(tmp_path, shape, kind):
    with pytest.raises(UsageError, match="even H"):
        write_video(tmp_path / "clip.mp4", np.zeros(shape, kind), 25)
    with pytest.raises(UsageError, match="waveform is"):
        write_video(tmp_path / "clip.mp4", numbered(4), 25, np.zeros(100, np.float32))
    assert list(tmp_path.iterdir()) == []


class FullDisk(io.RawIOBase):
    """A file on a disk that has room for `room` bytes."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def write(self, data):
        self.room -= len(data)
        if self.room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.file.write(data)

    def seek(self, *place):
        return self.file.seek(*place)

    def tell(self):
        return self.file.tell()

    def writable(self):
        return True

    def seekable(self):
        return True

    def close(self):
        self.file.close()


@pytest.mark.parametrize("room", [0, 40, 1000, 5000])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, room):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"old")
    real = open
    monkeypatch.setattr(atomic, "open", lambda *args: FullDisk(real(*args), room), raising=False)
    pixels = np.random.default_rng(0).integers(0, 256, (20, 64, 64, 3), dtype=np.uint8)
    with pytest.raises(StorageError, match="No space left"):
        write_video(path, pixels, 10, reference(2.0))
    with pytest.raises(StorageError, match="No space left"):
        write_flac(path, reference(2.0))
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_missing_folder(tmp_path):
    with pytest.raises(StorageError, match=r"could not be written.*df -h"):
        write_video(tmp_path / "no" / "clip.mp4", numbered(4), 25)


def test_odd_names(tmp_path):
    for name in (
        "--dashes.mp4",
        "http:nothing.mp4",
        "ümläut 文.mp4",
        "%03d.mp4",
        b"\xff\xfe.mp4".decode(errors="surrogateescape"),
    ):
        write_video(tmp_path / name, numbered(3), 25, reference(0.2))
        assert probe(tmp_path / name).video.frames == 3


# --------------------------------------------------------------------------------------------------------- FLAC, WAV
@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20_000), st.sampled_from(["noise", "silence", "extremes"]))
def test_flac_is_exact(seed, samples, kind):
    rng = np.random.default_rng(seed)
    waveform = {
        "noise": rng.integers(-32768, 32768, samples),
        "silence": np.zeros(samples),
        "extremes": rng.choice([-32768, 32767], samples),
    }[kind].astype(np.int16)
    np.testing.assert_array_equal(decode_flac(encode_flac(waveform)), waveform)


def test_flac_file(tmp_path):
    write_flac(tmp_path / "a.flac", reference(1.0), 8000)
    assert probe(tmp_path / "a.flac").audio.sample_rate == 8000
    np.testing.assert_array_equal(decode_flac((tmp_path / "a.flac").read_bytes()), reference(1.0))


def test_damaged_flac_is_refused():
    data = encode_flac(reference(1.0))
    for broken, reason in (
        (b"", SkipReason.EMPTY),
        (b"RIFF" + data, SkipReason.NOT_MEDIA),
        (data[:20], SkipReason.TRUNCATED),
        (data[: len(data) // 2], SkipReason.TRUNCATED),
        (data[:-3], SkipReason.TRUNCATED),
    ):
        with pytest.raises(MediaError) as caught:
            decode_flac(broken)
        assert caught.value.reason is reason


def test_wav_agrees_with_scipy():
    rate, found = scipy.io.wavfile.read(io.BytesIO(encode_wav(reference(0.5), 22_050)))
    assert rate == 22_050
    np.testing.assert_array_equal(found, reference(0.5))


@pytest.mark.parametrize("encode", [encode_flac, encode_wav])
@pytest.mark.parametrize("waveform", [np.zeros(5), np.zeros((2, 5), np.int16), np.zeros(0, np.int16)])
def test_waveforms_that_cannot_be_encoded(encode, waveform):
    with pytest.raises(UsageError, match="waveform is"):
        encode(waveform)


# -------------------------------------------------------------------------------------------------------------- JPEG
def test_jpeg_there_and_back():
    pixels = np.asarray(Image.effect_mandelbrot((60, 40), (-3, -2.5, 2, 2.5), 100).convert("RGB"))
    found = decode_jpeg(encode_jpeg(pixels, quality=98))
    assert found.shape == (40, 60, 3)
    assert np.abs(found.astype(int) - pixels).mean() < 2
    assert len(encode_jpeg(pixels, quality=30)) < len(encode_jpeg(pixels, quality=95))


def test_damaged_jpeg_is_refused():
    data = encode_jpeg(numbered(1, 64, 64)[0])
    for broken in (b"", b"nothing", data[: len(data) // 2], data[:10]):
        with pytest.raises(MediaError):
            decode_jpeg(broken)
    with pytest.raises(MediaError, match="pixels"):
        decode_jpeg(data, Limits(pixels=100))
    with pytest.raises(UsageError):
        encode_jpeg(np.zeros((4, 4), np.uint8))
