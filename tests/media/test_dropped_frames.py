"""H.264 frames on the way that nothing leans on are not decoded; the wanted ones stay what a plain decoder makes."""

import io

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from seehear.media import Limits, read_frames
from seehear.media.frame_reader import FrameReader
from seehear.media.frames import _BICUBIC
from seehear.media.media_file import open_media
from tests.media.making import grainy, numbered, video

RATE = 25
KINDS = [
    {"bf": "0", "g": "12"},
    {"bf": "3", "g": "25", "preset": "medium"},
    {"bf": "3", "g": "25", "preset": "medium", "x264-params": "b-pyramid=0"},
    {"bf": "2", "preset": "medium", "x264-params": "open-gop=1:keyint=15"},
]


def plainly(data):
    """Every frame, decoded one after the other."""
    reformatter = VideoReformatter()
    with av.open(io.BytesIO(data)) as container:
        frames = list(container.decode(video=0))
    options = {"format": "rgb24", "interpolation": _BICUBIC, "threads": 1}
    return [reformatter.reformat(frame, **options).to_ndarray() for frame in frames]


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts"])
@pytest.mark.parametrize("options", KINDS, ids=lambda o: "-".join(o.values()))
def test_every_frame_alone_is_what_a_plain_decoder_makes(options, container):
    data = video(grainy(numbered(60, 48, 96)), container=container, rate=RATE, options=options)
    expected = plainly(data)
    for index, picture in enumerate(expected):
        found = read_frames(data, [(index + 0.5) / RATE]).pixels[0]
        np.testing.assert_array_equal(found, picture, err_msg=f"frame {index}")


@pytest.mark.parametrize("options", KINDS, ids=lambda o: "-".join(o.values()))
def test_frames_asked_for_together_are_the_same(options):
    data = video(grainy(numbered(60, 48, 96)), rate=RATE, options=options)
    expected = plainly(data)
    rng = np.random.default_rng(0)
    for _ in range(20):
        asked = rng.integers(0, 60, rng.integers(2, 6))
        found = read_frames(data, (asked + 0.5) / RATE).pixels
        np.testing.assert_array_equal(found, np.stack([expected[index] for index in asked]))


def test_fewer_frames_are_decoded_where_some_can_be_left_out():
    def decoded(options):
        data = video(grainy(numbered(60, 48, 96)), rate=RATE, options=options)
        with open_media(data, Limits()) as media:
            reader = FrameReader(media, media.video())
            reader.frame_at(23.5 / RATE)
            return reader.decoded_frames

    assert decoded({"bf": "0", "g": "60"}) == 24
    assert decoded({"bf": "3", "g": "60", "preset": "medium", "x264-params": "b-adapt=0:b-pyramid=0"}) <= 10
