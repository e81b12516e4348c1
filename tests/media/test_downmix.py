"""Downmixing blocks where they lie agrees, bit by bit, with weighing the array that PyAV makes of a block."""

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seehear.media import read_audio
from seehear.media.downmix import Downmix, weights
from tests.media.making import lag, reference, sound
from tests.media.test_audio import error_decibels

FULL_SCALE = {"u8": 128.0, "s16": 32768.0, "s32": 2147483648.0, "flt": 1.0, "dbl": 1.0}
TYPES = {"u8": np.uint8, "s16": np.int16, "s32": np.int32, "flt": np.float32, "dbl": np.float64}


def block(kind, planar, layout, samples, seed):
    rng = np.random.default_rng(seed)
    channels = len(av.AudioLayout(layout).channels)
    values = rng.uniform(-1, 1, (channels, samples))
    if kind in ("flt", "dbl"):
        array = values.astype(TYPES[kind])
    else:
        array = ((values + (kind == "u8")) * (FULL_SCALE[kind] - 1)).astype(TYPES[kind])
    array = array if planar else np.ascontiguousarray(array.T).reshape(1, -1)
    return av.AudioFrame.from_ndarray(array, format=kind + "p" * planar, layout=layout)


def slowly(frame):
    """Float32 `[S]`: the array of all channels as PyAV gives it, scaled sample by sample, times the weights."""
    samples, kind = frame.to_ndarray(), frame.format.name.removesuffix("p")
    names = tuple(channel.name for channel in frame.layout.channels)
    if not frame.format.is_planar:
        samples = samples.reshape(-1, len(names)).T
    floats = samples.astype(np.float32) - np.float32(FULL_SCALE[kind] if kind == "u8" else 0.0)
    mono = floats[0] if len(names) == 1 else weights(names) @ floats
    return mono / np.float32(FULL_SCALE[kind])


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(sorted(TYPES)),
    planar=st.booleans(),
    layout=st.sampled_from(["mono", "stereo", "2.1", "quad", "5.1"]),
    samples=st.integers(1, 2050),
    seed=st.integers(0, 1000),
)
def test_agrees_with_the_whole_array(kind, planar, layout, samples, seed):
    frame = block(kind, planar, layout, samples, seed)
    np.testing.assert_array_equal(Downmix()(frame), slowly(frame))


def test_a_track_that_changes_its_layout_is_followed():
    downmix = Downmix()
    for layout, kind in (("mono", "flt"), ("stereo", "flt"), ("stereo", "s16"), ("5.1", "s16"), ("mono", "u8")):
        frame = block(kind, True, layout, 64, 1)
        np.testing.assert_array_equal(downmix(frame), slowly(frame))


def test_eight_channels():
    """A sound that all channels carry comes out as it is; PyAV's own array of eight planes has a ninth."""
    options = {"codec": "aac", "container": "mp4", "rate": 48_000, "layout": "7.1", "sample_format": "flt"}
    found, source = read_audio(sound(2.0, bits=1_000_000, **options)), reference(2.0)
    assert lag(found, source) == 0
    assert error_decibels(found, source) < -20


def test_samples_outlive_their_frame():
    frame = block("flt", True, "mono", 1024, 5)
    expected = frame.to_ndarray()[0].copy()
    found = Downmix()(frame)
    del frame
    for seed in range(50):  # other frames take memory that was given back
        block("flt", True, "mono", 1024, seed)
    np.testing.assert_array_equal(found, expected)


def test_unlike_channels_are_no_halves():
    assert weights(("FC", "LFE")).tolist() == pytest.approx([1.0, 0.0])
