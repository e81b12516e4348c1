"""Facts of files whose facts are known."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from seehear.errors import MediaError, SkipReason
from seehear.media import Limits, encode_flac, encode_jpeg, encode_wav, probe, read_audio, read_frames, write_video
from tests.media.making import add_sound, add_video, mux_picture, mux_sound, numbered, reference, sound, turned, video


def test_a_written_film(tmp_path):
    path = tmp_path / "film.mp4"
    write_video(path, numbered(40, 96, 96), Fraction(25, 2), reference(3.2))
    info = probe(path)
    assert (info.kind, info.container, info.path, info.truncated) == ("video", "mp4", str(path), False)
    assert info.duration_seconds == pytest.approx(3.2)
    pictures, heard = info.video, info.audio
    assert (pictures.codec, pictures.width, pictures.height, pictures.rotation) == ("h264", 96, 96, 0)
    assert (pictures.frames, pictures.frames_per_second) == (40, 12.5)
    assert (pictures.start_seconds, pictures.last_frame_seconds) == (0, pytest.approx(3.12))
    assert pictures.duration_seconds == pytest.approx(3.2)
    assert (heard.codec, heard.sample_rate, heard.channels) == ("aac", 16_000, 1)
    assert (heard.start_seconds, heard.duration_seconds) == (0, pytest.approx(3.2))


@pytest.mark.parametrize(
    ("codec", "container", "rate", "layout", "name"),
    [
        ("pcm_f32le", "wav", 44_100, "stereo", "wav"),
        ("flac", "flac", 48_000, "5.1", "flac"),
        ("libmp3lame", "mp3", 44_100, "stereo", "mp3"),
        ("libopus", "ogg", 48_000, "mono", "ogg"),
        ("vorbis", "webm", 48_000, "stereo", "matroska"),
        ("aac", "adts", 44_100, "mono", "aac"),
    ],
)
def test_sound_files(codec, container, rate, layout, name):
    info = probe(sound(2.0, codec=codec, container=container, rate=rate, layout=layout))
    assert (info.kind, info.container, info.video) == ("audio", name, None)
    channels = {"mono": 1, "stereo": 2, "5.1": 6}[layout]
    assert (info.audio.sample_rate, info.audio.channels) == (rate, channels)
    assert info.duration_seconds == pytest.approx(2.0, abs=0.06)
    assert info.audio.start_seconds == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize(("matrix", "rotation"), [((0, 1, -1, 0), 90), ((-1, 0, 0, -1), 180), ((0, -1, 1, 0), 270)])
def test_size_is_as_shown(matrix, rotation):
    info = probe(turned(video(numbered(3)), matrix))
    assert info.video.rotation == rotation
    assert (info.video.width, info.video.height) == ((96, 48) if rotation == 180 else (48, 96))


def test_rate_of_a_variable_video_is_its_mean():
    stamps = [0, 10, 20, 1000, 1500, 2000]
    pictures = probe(video(numbered(6), stamps=stamps)).video
    assert (pictures.frames, pictures.frames_per_second) == (6, 2.5)
    assert pictures.last_frame_seconds == 2.0


@pytest.mark.parametrize("bf", ["0", "2"])
def test_avi_begins_at_zero(bf):
    pictures = probe(video(numbered(20), container="avi", codec="mpeg4", options={"bf": bf})).video
    assert (pictures.start_seconds, pictures.last_frame_seconds) == (0, pytest.approx(19 / 25))
    assert pictures.frames_per_second == pytest.approx(25)


def test_one_frame_with_sound_is_a_picture(tmp_path):
    write_video(tmp_path / "one.mp4", numbered(1), 25, reference(3.0))
    info = probe(tmp_path / "one.mp4")
    assert (info.kind, info.video.frames, info.video.frames_per_second) == ("image", 1, 0)
    assert info.duration_seconds == pytest.approx(3.0)


@pytest.mark.parametrize(("name", "codec", "first"), [("song.mp3", "libmp3lame", "sound"), ("song.m4a", "aac", "art")])
def test_album_art_is_not_a_picture(tmp_path, name, codec, first):
    path = tmp_path / name
    with av.open(str(path), "w", format="mp4" if name.endswith("m4a") else "mp3") as out:
        track = add_sound(out, codec, 44_100) if first == "sound" else None
        art = out.add_stream("mjpeg", rate=1)
        art.height, art.width, art.pix_fmt = 48, 96, "yuvj420p"
        art.disposition = av.stream.Disposition.attached_pic
        track = track or add_sound(out, codec, 44_100)
        mux_picture_of_one(out, art)
        mux_sound(out, track, reference(1.0).repeat(3)[:44_100] / 32768, 44_100)
    info = probe(path)
    assert (info.kind, info.video) == ("audio", None)
    assert len(read_audio(path)) == pytest.approx(16_000, abs=900)
    with pytest.raises(MediaError) as caught:
        read_frames(path, [0.0])
    assert caught.value.reason is SkipReason.NO_VIDEO


def mux_picture_of_one(out, stream):
    frame = av.VideoFrame.from_ndarray(numbered(1)[0], format="rgb24").reformat(format="yuvj420p")
    frame.pts, frame.time_base = 0, Fraction(1)
    out.mux([*stream.encode(frame), *stream.encode(None)])


def test_still_pictures():
    info = probe(encode_jpeg(numbered(1, 20, 40)[0]))
    assert (info.kind, info.container, info.duration_seconds, info.audio) == ("image", "jpeg", 0, None)
    assert (info.video.width, info.video.height, info.video.frames) == (40, 20, 1)


def test_a_cut_file_says_so():
    whole = encode_wav(reference(4.0))
    assert not probe(whole).truncated
    info = probe(whole[: len(whole) // 2])
    assert info.truncated
    assert info.duration_seconds == pytest.approx(2.0, abs=0.05)


def test_limits_on_the_header_and_on_what_is_measured():
    film = video(numbered(10))
    for limits, name in (
        (Limits(pixels=48 * 96 - 1), "pixels"),
        (Limits(frames_per_second=24), "frames per second"),
        (Limits(file_seconds=0.3), "file seconds"),
        (Limits(file_bytes=100), "file bytes"),
        (Limits(streams=0), "streams"),
    ):
        with pytest.raises(MediaError, match=name) as caught:
            probe(film, limits)
        assert caught.value.reason is SkipReason.OVER_LIMIT
    loud = sound(0.2, codec="pcm_s16le", rate=48_000, layout="5.1")
    for limits, name in ((Limits(channels=5), "channels"), (Limits(sample_rate=44_100), "sample rate")):
        with pytest.raises(MediaError, match=name):
            probe(loud, limits)


def test_strangers_get_the_limits_of_the_promise():
    limits = Limits.for_strangers()
    assert (limits.file_bytes, limits.file_seconds) == (512 * 2**20, 600)
    assert Limits().file_bytes is None
    assert Limits().file_seconds is None
    assert (limits.pixels, limits.frames_per_second, limits.channels) == (4096 * 4096, 240, 8)
    assert (limits.sample_rate, limits.resident_bytes, limits.cpu_seconds) == (192_000, 1536 * 2**20, 20)


def test_two_videos_in_one_file_the_first_counts():
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as out:
        large, small = add_video(out, numbered(1, 96, 96)), add_video(out, numbered(1, 32, 32))
        for index, (a, b) in enumerate(zip(numbered(5, 96, 96), numbered(5, 32, 32), strict=True)):
            mux_picture(out, large, a, index)
            mux_picture(out, small, b, index)
        out.mux([*large.encode(None), *small.encode(None)])
    assert probe(buffer.getvalue()).video.width == 96


def test_bytes_have_no_path():
    assert probe(encode_flac(np.zeros(100, np.int16))).path == ""
