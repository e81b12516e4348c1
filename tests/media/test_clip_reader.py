"""Reading pictures and sound from one opening gives what two openings give, whenever `probe` allows it."""

import io
import itertools

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seehear.errors import MediaError
from seehear.media import Limits, probe, read_audio, read_clip, read_frames
from seehear.media.media_file import open_media
from tests.media.making import add_sound, add_video, grainy, melody, mux_picture, mux_sound, numbered

RATE, SECONDS = 25, 6
VIDEO = [
    ("libx264", {"bf": "0"}),
    ("libx264", {"bf": "3", "g": "25"}),
    ("libx264", {"bf": "2", "g": "250", "x264-params": "open-gop=1:keyint=15"}),
    ("mpeg4", {"bf": "2"}),
    ("libsvtav1", {"preset": "12", "svtav1-params": "log-level=0"}),
]
SOUND = [
    ("aac", 16_000, "mono"),
    ("aac", 44_100, "stereo"),
    ("libopus", 48_000, "stereo"),
    ("libmp3lame", 44_100, "mono"),
]


def clip(video, sound, container="mp4"):
    codec, options = video
    for name in (codec, sound[0]):
        if name not in av.codecs_available:
            pytest.skip(f"this PyAV lacks {name}")
    buffer = io.BytesIO()
    pixels = grainy(numbered(RATE * SECONDS, 64, 160))
    with av.open(buffer, "w", format=container) as out:
        stream = add_video(out, pixels, codec, rate=RATE, options=options)
        track = add_sound(out, *sound)
        for index, picture in enumerate(pixels):
            mux_picture(out, stream, picture, index)
        out.mux(stream.encode(None))
        wave = melody(np.arange(SECONDS * sound[1]) / sound[1])
        mux_sound(out, track, wave, sound[1], sound[2], "flt" if sound[0] == "aac" else "s16")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def plain():
    return clip(VIDEO[1], SOUND[0])


def same(data, times, sound, **options):
    """Whether one opening gives what two give, and the two what the plain functions give."""
    found = read_clip(data, times, sound, header_tells=True, **options)
    slow = read_clip(data, times, sound, **options)
    frames = read_frames(data, times, **options) if len(times) else None
    samples = None if sound is None else read_audio(data, *sound)
    for pictures, heard in (found, slow):
        assert (pictures is None) == (frames is None)
        assert (heard is None) == (samples is None)
        if frames is not None:
            np.testing.assert_array_equal(pictures.pixels, frames.pixels)
            np.testing.assert_array_equal(pictures.seconds, frames.seconds)
        if samples is not None:
            np.testing.assert_array_equal(heard, samples)


@pytest.mark.parametrize("video", VIDEO, ids=lambda v: f"{v[0]}-{v[1].get('bf', '')}")
@pytest.mark.parametrize("sound", SOUND, ids=lambda s: f"{s[0]}-{s[1]}")
def test_one_opening_gives_what_two_give(video, sound):
    data = clip(video, sound)
    if not probe(data).header_tells:
        pytest.skip("its header leaves something open")
    for times, span in itertools.product(([], [0.0], [3.3, 0.7, 5.9]), (None, (0.0, 6.0), (2.5, 1.25))):
        if len(times) or span:
            same(data, times, span)
    same(data, [4.4], (0.0, 6.0), shorter_side=32)


def test_common_files_tell_all_in_their_headers_and_others_do_not(plain):
    assert probe(plain).header_tells
    assert probe(clip(VIDEO[0], SOUND[1])).header_tells
    assert not probe(clip(VIDEO[0], SOUND[1], "matroska")).header_tells
    reordered = clip(VIDEO[2], SOUND[0])  # its header promises less reordering of frames than there is
    assert not probe(reordered).header_tells
    with open_media(reordered, Limits(), header_tells=True) as alone, open_media(reordered, Limits()) as tried:
        assert alone.facts() != tried.facts()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    times=st.lists(st.floats(-1, 5.95), max_size=3),
    start=st.floats(0, 5.5),
    length=st.floats(0.01, 8),
)
def test_any_times_and_ranges(plain, times, start, length):
    same(plain, times, (start, length))


def test_what_is_missing_or_damaged_is_told_as_ever(plain):
    """Also where the caller was told of another file: what fails at once is read again step by step."""
    silent = clip(VIDEO[0], SOUND[0])
    cut = plain[: len(plain) * 2 // 3]
    for data, times, sound in (
        (plain, [60.0], (0.0, 6.0)),
        (plain, [1.0], (60.0, 1.0)),
        (cut, [1.0], (0.0, 6.0)),
        (cut, [5.5], None),
        (plain[:40], [1.0], (0.0, 1.0)),
        (silent[:1000] + b"\0" * 2000, [1.0], (0.0, 1.0)),
        (b"", [0.0], None),
    ):
        told = []
        for header_tells in (False, True):
            with pytest.raises(MediaError) as caught:
                read_clip(data, times, sound, header_tells=header_tells)
            told.append((caught.value.reason, caught.value.detail))
        assert told[0] == told[1]


def test_a_container_that_cannot_be_read_at_once_is_read_step_by_step():
    data = clip(VIDEO[1], SOUND[2], "matroska")
    frames, samples = read_clip(data, [2.0], (0.5, 1.0))
    np.testing.assert_array_equal(frames.pixels, read_frames(data, [2.0]).pixels)
    np.testing.assert_array_equal(samples, read_audio(data, 0.5, 1.0))
