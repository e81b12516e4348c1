"""Frames at given times, against pictures that show their own number."""

from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seehear.errors import MediaError, SkipReason, UsageError
from seehear.media import Limits, encode_jpeg, read_frames, write_video
from seehear.media.frame_reader import FrameReader
from seehear.media.media_file import open_media
from tests.media.making import add_video, grainy, melody, mux_picture, mux_sound, numbered, numbers, turned, video

RATE = 25


@pytest.fixture(scope="module")
def plain():
    """10 s at 25 per second, key frames every 10."""
    return video(numbered(250), rate=RATE)


def shown_at(data, seconds, **options):
    return numbers(read_frames(data, seconds, **options).pixels)


def test_every_frame_from_its_start_to_the_start_of_the_next(plain):
    starts = np.arange(250) / RATE
    for offset in (0.0, 0.001, 0.02, 0.039):
        frames = read_frames(plain, starts + offset)
        assert numbers(frames.pixels) == list(range(250))
        np.testing.assert_allclose(frames.seconds, starts, atol=1e-9)


def test_times_in_any_order_repeated_and_before_the_start(plain):
    frames = read_frames(plain, [3.0, 0.01, 9.99, 3.0, -5.0, 3.039])
    assert numbers(frames.pixels) == [75, 0, 249, 75, 0, 75]
    np.testing.assert_allclose(frames.seconds, [3.0, 0, 9.96, 3.0, 0, 3.0])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(0, 9.99), min_size=1, max_size=6))
def test_any_times(plain, asked):
    assert shown_at(plain, asked) == [int(np.floor(t * RATE + 1e-4)) for t in asked]


CODECS = [
    ("libx264", "mp4", {"bf": "3", "g": "12"}),
    ("libx264", "mp4", {"bf": "2", "g": "250", "x264-params": "open-gop=1:keyint=15"}),
    ("libx264", "matroska", {"bf": "3", "g": "12"}),
    ("libx264", "mpegts", {"bf": "2", "g": "10"}),
    ("libx264", "avi", {"bf": "0"}),
    ("libx264", "avi", {"bf": "2"}),
    ("libx264", "flv", {"bf": "2"}),
    ("libx265", "mp4", {"preset": "ultrafast", "x265-params": "log-level=none:keyint=10:pools=none:frame-threads=1"}),
    ("libvpx-vp9", "webm", {"deadline": "realtime", "cpu-used": "8"}),
    ("libvpx", "webm", {"deadline": "realtime", "cpu-used": "8"}),
    ("libsvtav1", "mp4", {"preset": "12", "svtav1-params": "log-level=0"}),
    ("mpeg4", "avi", {"bf": "2"}),
    ("mpeg4", "mp4", {"bf": "2"}),
    ("mpeg2video", "mpeg", {"bf": "2"}),
    ("mpeg1video", "mpeg", {}),
    ("mjpeg", "avi", {}),
    ("ffv1", "matroska", {}),
    ("flv", "flv", {}),
    ("wmv2", "asf", {}),
]


@pytest.mark.parametrize(("codec", "container", "options"), CODECS, ids=lambda v: v if isinstance(v, str) else "")
def test_codecs_and_containers(codec, container, options):
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV lacks {codec}")
    pixel_format = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    pixels = grainy(numbered(80, 64, 160))
    data = video(pixels, codec=codec, container=container, pixel_format=pixel_format, options=options)
    order = np.random.default_rng(0).permutation(80)
    first = read_frames(data, [0.0])
    assert numbers(first.pixels) == [0]
    assert shown_at(data, order / RATE + 0.01) == order.tolist()
    for index in (77, 41, 12):
        assert shown_at(data, [index / RATE + 0.01]) == [index]


@pytest.mark.full
@pytest.mark.parametrize(("codec", "container", "options"), CODECS, ids=lambda v: v if isinstance(v, str) else "")
def test_single_times_far_into_longer_files(codec, container, options):
    pixel_format = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    pixels = grainy(numbered(400, 64, 160))
    data = video(pixels, codec=codec, container=container, pixel_format=pixel_format, options=options)
    rng = np.random.default_rng(3)
    for index in rng.integers(0, 400, 30):
        assert shown_at(data, [index / RATE + 0.01]) == [index]
    for _ in range(5):
        indices = rng.integers(0, 400, 6)
        assert shown_at(data, indices / RATE + 0.03) == indices.tolist()


def test_only_what_is_needed_is_decoded():
    data = video(numbered(500, 16, 80), rate=RATE, options={"g": "25"})
    with open_media(data, Limits()) as media:
        reader = FrameReader(media, media.video())
        counts = []
        for seconds in (0.0, 0.5, 0.52, 3.999, 4.0, 12.2, 19.99):
            assert numbers(_rgb(reader.frame_at(seconds))) == [int(seconds * RATE + 1e-6)]
            counts.append(reader.decoded_frames)
    # the first; 12 more of its group; the next; the whole group before 4 s; a key frame; 6 of a group; the last 25
    assert np.diff([0, *counts]).tolist() == [1, 12, 1, 25, 1, 6, 25]


def _rgb(frame):
    return frame.to_ndarray(format="rgb24")[None]


def test_long_groups_are_not_decoded_twice():
    data = video(numbered(300, 16, 80), rate=RATE, options={"g": "300"})
    with open_media(data, Limits()) as media:
        reader = FrameReader(media, media.video())
        for seconds in (0.0, 4.0, 8.0, 11.96):
            assert numbers(_rgb(reader.frame_at(seconds))) == [round(seconds * RATE)]
        assert reader.decoded_frames == 300


@pytest.mark.parametrize("container", ["mp4", "matroska"])
def test_variable_frame_rate(container):
    gaps = np.random.default_rng(1).integers(5, 400, 60)
    stamps = np.concatenate([[0], np.cumsum(gaps)[:-1]])
    data = video(numbered(60), container=container, stamps=stamps, options={"bf": "2"})
    assert shown_at(data, stamps / 1000) == list(range(60))
    assert shown_at(data, (stamps[1:] - 2) / 1000) == list(range(59))
    np.testing.assert_allclose(read_frames(data, stamps / 1000 + 0.002).seconds, stamps / 1000, atol=1e-3)


@pytest.mark.parametrize(("width", "height"), [(101, 49), (33, 75), (17, 17)])
def test_odd_sizes(width, height):
    pixels = numbered(12, height, width)
    data = video(pixels, pixel_format="yuv444p", options={"crf": "4"})
    frames = read_frames(data, np.arange(12) / RATE)
    assert frames.pixels.shape == (12, height, width, 3)
    assert np.abs(frames.pixels.astype(int) - pixels).mean() < 3


def corners(height=48, width=96):
    """A picture with a red, green, blue and white corner (clockwise from top left)."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = 255, 0, 0
    picture[: height // 2, width // 2 :] = 0, 255, 0
    picture[height // 2 :, width // 2 :] = 0, 0, 255
    picture[height // 2 :, : width // 2] = 255, 255, 255
    return picture


DIHEDRAL = {
    "as stored": ((1, 0, 0, 1), lambda p: p),
    "clockwise": ((0, 1, -1, 0), lambda p: np.rot90(p, -1)),
    "upside down": ((-1, 0, 0, -1), lambda p: np.rot90(p, 2)),
    "anticlockwise": ((0, -1, 1, 0), lambda p: np.rot90(p, 1)),
    "mirrored": ((-1, 0, 0, 1), lambda p: p[:, ::-1]),
    "top to bottom": ((1, 0, 0, -1), lambda p: p[::-1]),
    "transposed": ((0, 1, 1, 0), lambda p: p.transpose(1, 0, 2)),
    "transverse": ((0, -1, -1, 0), lambda p: p[::-1, ::-1].transpose(1, 0, 2)),
}


@pytest.mark.parametrize("name", DIHEDRAL)
def test_display_matrix(name):
    matrix, turn = DIHEDRAL[name]
    data = turned(video(np.repeat(corners()[None], 3, 0), options={"crf": "4"}), matrix)
    expected = turn(corners())
    found = read_frames(data, [0.0, 0.05]).pixels
    assert found.shape[1:] == expected.shape
    assert np.abs(found[1].astype(int) - expected)[4:-4, 4:-4].mean() < 12  # chroma bleeds at the edges
    small = read_frames(data, [0.0], shorter_side=24).pixels[0]
    assert small.shape == (48, 24, 3) if expected.shape[0] > expected.shape[1] else (24, 48, 3)


def test_sample_aspect_ratio_gives_square_pixels(tmp_path):
    path = tmp_path / "anamorphic.mp4"
    with av.open(str(path), "w") as out:
        stream = add_video(out, numbered(3, 48, 64))
        stream.codec_context.sample_aspect_ratio = Fraction(16, 11)
        for index, picture in enumerate(numbered(3, 48, 64)):
            mux_picture(out, stream, picture, index)
        out.mux(stream.encode(None))
    assert read_frames(path, [0.0]).pixels.shape == (1, 48, 93, 3)
    assert read_frames(path, [0.0], shorter_side=24).pixels.shape == (1, 24, 46, 3)


def test_resizing_is_an_antialiased_bicubic():
    from PIL import Image

    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (48, 64, 3)).repeat(4, 0).repeat(4, 1).astype(np.uint8)
    data = video(noise[None], pixel_format="yuv444p", options={"crf": "1"})
    stored = read_frames(data, [0.0]).pixels[0]
    for side in (96, 64, 384):
        found = read_frames(data, [0.0], shorter_side=side).pixels[0]
        size = (round(256 * side / 192), side)
        oracle = np.asarray(Image.fromarray(stored).resize(size, Image.Resampling.BICUBIC))
        assert found.shape == oracle.shape
        assert np.abs(found.astype(int) - oracle).mean() < 3.0
        nearest = np.asarray(Image.fromarray(stored).resize(size, Image.Resampling.NEAREST))
        if side < 192:
            assert np.abs(found.astype(int) - nearest).mean() > 6


@pytest.mark.parametrize(("space", "limited"), [(1, 1), (5, 1), (1, 2), (5, 2)])
def test_colour_matrix_and_range_are_those_of_the_file(tmp_path, space, limited):
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [128, 128, 128]], np.uint8)
    picture = np.ascontiguousarray(colours[:, None].repeat(16, 0).repeat(16, 1))
    path = tmp_path / "colour.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "1"})
        stream.height, stream.width, stream.pix_fmt = 80, 16, "yuv444p"
        stream.codec_context.colorspace, stream.codec_context.color_range = space, limited
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
            format="yuv444p", dst_colorspace=space, dst_color_range=limited
        )
        frame.colorspace, frame.color_range = space, limited
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        out.mux([*stream.encode(frame), *stream.encode(None)])
    found = read_frames(path, [0.0]).pixels[0]
    assert np.abs(found.astype(int) - picture).max() < 12


def with_sound(tmp_path, frames, sound_seconds, sound_start=0.0, container="mp4"):
    """A file whose sound begins `sound_start` seconds after its pictures."""
    path = tmp_path / f"both.{container}"
    with av.open(str(path), "w") as out:
        stream = add_video(out, numbered(1), options={"bf": "0"})
        sound = out.add_stream("aac", rate=16_000, layout="mono")
        for index, picture in enumerate(numbered(frames)):
            mux_picture(out, stream, picture, index)
        out.mux(stream.encode(None))
        wave = melody(np.arange(round(sound_seconds * 16_000)) / 16_000)
        mux_sound(out, sound, wave, 16_000, start=round(sound_start * 16_000))
    return path


def test_the_last_frame_stays_while_there_is_sound_and_no_longer(tmp_path):
    path = with_sound(tmp_path, 25, 4.0)
    assert shown_at(path, [0.99, 1.5, 3.9, 4.4]) == [24, 24, 24, 24]
    with pytest.raises(MediaError, match=r"5\.000 s was asked for.*up to 4\.") as caught:
        read_frames(path, [5.0])
    assert caught.value.reason is SkipReason.OUT_OF_RANGE


def test_one_frame_with_sound_is_a_picture_for_any_time(tmp_path):
    path = with_sound(tmp_path, 1, 3.0)
    assert shown_at(path, [0.0, 2.9, 100.0]) == [0, 0, 0]


def test_a_silent_video_ends_where_its_last_frame_does(plain):
    assert shown_at(plain, [10.0, 10.3]) == [249, 249]
    with pytest.raises(MediaError) as caught:
        read_frames(plain, [0.0, 11.0])
    assert caught.value.reason is SkipReason.OUT_OF_RANGE


def test_pictures_that_begin_late_keep_their_time(tmp_path):
    path = tmp_path / "late.mkv"
    with av.open(str(path), "w") as out:
        stream = add_video(out, numbered(1))
        sound = out.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for index, picture in enumerate(numbered(25)):
            mux_picture(out, stream, picture, index + 50)
        out.mux(stream.encode(None))
        mux_sound(out, sound, melody(np.arange(48_000) / 16_000), 16_000)
    frames = read_frames(path, [0.0, 2.0, 2.5])
    assert numbers(frames.pixels) == [0, 0, 12]
    np.testing.assert_allclose(frames.seconds, [2.0, 2.0, 2.48], atol=2e-3)


def test_no_pictures_is_typed(tmp_path):
    from tests.media.making import sound

    with pytest.raises(MediaError) as caught:
        read_frames(sound(0.5), [0.0])
    assert caught.value.reason is SkipReason.NO_VIDEO


def test_still_pictures_answer_any_time(tmp_path):
    path = tmp_path / "still.jpg"
    path.write_bytes(encode_jpeg(corners(40, 60)))
    frames = read_frames(path, [0.0, 1e6, -1.0], shorter_side=20)
    assert frames.pixels.shape == (3, 20, 30, 3)
    assert frames.seconds.tolist() == [0, 0, 0]


@pytest.mark.parametrize("asked", [[], [float("nan")], [float("inf")], [[0.0]], [1e300]])
def test_times_that_are_none(plain, asked):
    with pytest.raises(UsageError, match="asked times"):
        read_frames(plain, asked)
    with pytest.raises(UsageError, match="shorter_side"):
        read_frames(plain, [0.0], shorter_side=0)


def test_all_kinds_of_bytes(plain):
    for kind in (bytes, bytearray, memoryview):
        assert shown_at(kind(plain), [1.0]) == [25]


def test_240_frames_per_second_are_allowed():
    data = video(numbered(480, 16, 80), rate=240, options={"g": "480"})
    assert shown_at(data, [1.99, 0.5]) == [477, 120]


def test_written_and_read_again(tmp_path):
    path = tmp_path / "written.mp4"
    pixels = numbered(40, 96, 96)
    write_video(path, pixels, Fraction(25, 2))
    assert shown_at(path, np.arange(40) / 12.5) == list(range(40))
