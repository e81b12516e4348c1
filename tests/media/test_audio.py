"""Sound in given ranges, against a melody that is a known function of time."""

import io
import itertools

import av
import numpy as np
import pytest
from scipy.signal import resample_poly

from seehear.errors import MediaError, SkipReason, UsageError
from seehear.media import Limits, encode_flac, encode_wav, probe, read_audio, write_video
from seehear.media.downmix import weights
from seehear.media.resampler import Resampler, grid_step
from tests.media.making import add_sound, add_video, lag, melody, mux_picture, mux_sound, numbered, reference, sound

SECONDS = 2.0
EXACT = [  # codec, container, rate, sample format, layout
    ("pcm_s16le", "wav", 16_000, "s16", "mono"),
    ("pcm_s16le", "wav", 8_000, "s16", "mono"),
    ("pcm_s16le", "wav", 11_025, "s16", "mono"),
    ("pcm_s16le", "wav", 22_050, "s16", "stereo"),
    ("pcm_s16le", "wav", 44_056, "s16", "mono"),
    ("pcm_f32le", "wav", 44_100, "flt", "stereo"),
    ("pcm_s24le", "wav", 48_000, "s32", "5.1"),
    ("pcm_s32le", "wav", 96_000, "s32", "mono"),
    ("flac", "flac", 44_100, "s16", "stereo"),
    ("flac", "matroska", 44_100, "s16", "mono"),
    ("flac", "ogg", 44_100, "s16", "mono"),
    ("alac", "mov", 44_100, "s16", "mono"),
    ("pcm_s16le", "mov", 48_000, "s16", "stereo"),
]
LOSSY = [
    ("aac", "mp4", 8_000, "s16", "mono"),
    ("aac", "mp4", 16_000, "s16", "mono"),
    ("aac", "mp4", 44_100, "s16", "stereo"),
    ("aac", "mp4", 48_000, "s16", "5.1"),
    ("aac", "mp4", 96_000, "s16", "mono"),
    ("aac", "matroska", 44_100, "s16", "stereo"),
    ("libmp3lame", "mp3", 44_100, "s16", "stereo"),
    ("libmp3lame", "mp3", 16_000, "s16", "mono"),
    ("libopus", "ogg", 48_000, "s16", "mono"),
    ("libopus", "webm", 48_000, "s16", "stereo"),
    ("libopus", "mp4", 48_000, "s16", "mono"),
    ("vorbis", "ogg", 44_100, "s16", "stereo"),
    ("vorbis", "webm", 44_100, "s16", "stereo"),
    ("ac3", "mp4", 48_000, "s16", "stereo"),
    ("pcm_u8", "wav", 16_000, "u8", "mono"),
]


def made(case, seconds=SECONDS):
    codec, container, rate, sample_format, layout = case
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV lacks {codec}")
    options = {
        "rate": rate,
        "sample_format": sample_format,
        "layout": layout,
        "bits": 128_000 * (1 + 4 * (layout == "5.1")),
    }
    data = sound(seconds, codec=codec, container=container, **options)
    return data, reference(seconds)


def error_decibels(found, source):
    length = min(len(found), len(source))
    difference = found[:length].astype(float) - source[:length]
    return 10 * np.log10((difference**2).mean() / (source[:length].astype(float) ** 2).mean() + 1e-12)


@pytest.mark.parametrize("case", EXACT, ids=lambda case: "-".join(map(str, case)))
def test_lossless_sound_is_the_source(case):
    data, source = made(case)
    found = read_audio(data)
    assert len(found) == len(source)
    inner = slice(400, -400)  # the ends lean on the silence around them
    assert error_decibels(found[inner], source[inner]) < -60


@pytest.mark.parametrize("case", LOSSY, ids=lambda case: "-".join(map(str, case)))
def test_lossy_sound_has_no_lag(case):
    data, source = made(case)
    found = read_audio(data)
    assert abs(len(found) - len(source)) <= 1024
    assert lag(found, source) == 0
    assert error_decibels(found, source) < -20


@pytest.mark.parametrize("case", EXACT + LOSSY, ids=lambda case: "-".join(map(str, case)))
def test_ranges_join_to_the_whole(case):
    data, _ = made(case)
    whole = read_audio(data)
    edges = [0.0, 0.013, 0.7, 1.0 + 1 / 3, 1.9]
    parts = [read_audio(data, a, b - a) for a, b in itertools.pairwise(edges)]
    joined = np.concatenate(parts)
    assert len(joined) == round(1.9 * 16_000)
    worst = np.abs(joined.astype(int) - whole[: len(joined)]).max()
    if case[:2] == ("vorbis", "webm"):  # ticks of 1 ms and blocks that may start anywhere: half a tick of play
        assert abs(lag(joined[11_200:21_000], whole[11_200:21_000])) <= 8
    else:
        assert worst <= (60 if case[0] == "ac3" else 2)  # AC-3 draws noise for itself


@pytest.mark.parametrize("case", [LOSSY[2], LOSSY[6], LOSSY[8], EXACT[8]], ids=lambda case: case[0])
def test_ranges_far_into_a_long_file(case):
    data, _ = made(case, seconds=8.0)
    for start in (3.3456, 6.9):
        assert lag(read_audio(data, start, 1.0), reference(1.0, round(start * 16_000) / 16_000)) == 0


@pytest.mark.full
@pytest.mark.parametrize("case", EXACT + LOSSY, ids=lambda case: "-".join(map(str, case)))
def test_ranges_far_into_long_files_of_all_kinds(case):
    data, _ = made(case, seconds=30.0)
    for start in np.random.default_rng(2).uniform(0, 28, 6):
        found = read_audio(data, start, 1.2)
        assert len(found) == 19_200
        assert abs(lag(found, reference(1.2, round(start * 16_000) / 16_000))) <= (16 if case[1] == "webm" else 0)


def test_flac_at_16_khz_is_bit_exact():
    source = reference(2.0)
    for data in (encode_flac(source), encode_wav(source)):
        np.testing.assert_array_equal(read_audio(data), source)
        np.testing.assert_array_equal(read_audio(data, 0.5, 0.25), source[8000:12_000])


def test_written_mp4_has_no_lag(tmp_path):
    source = reference(3.2)
    write_video(tmp_path / "clip.mp4", numbered(40, 96, 96), 12.5, source)
    found = read_audio(tmp_path / "clip.mp4")
    assert len(found) == len(source)
    assert lag(found, source) == 0
    assert np.corrcoef(found, source)[0, 1] > 0.98
    assert lag(read_audio(tmp_path / "clip.mp4", 1.0, 1.0), source[16_000:32_000]) == 0


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 48_000, 96_000])
def test_resampling_agrees_with_scipy(rate):
    wave = melody(np.arange(rate) / rate)
    resampler = Resampler(rate)
    chunks = [resampler.push(part.astype(np.float32)) for part in np.array_split(wave, 7)]
    found = np.concatenate([*chunks, resampler.finish()])[:16_000]
    step = grid_step(rate)
    oracle = resample_poly(wave, 16_000 * step // rate, step)
    assert np.abs(found[500:-500] - oracle[500 : len(found) - 500]).max() < 2e-3


def test_tones_above_8_khz_are_filtered_out():
    rate = 48_000
    tone = (0.5 * 32767 * np.sin(2 * np.pi * 11_000 * np.arange(rate) / rate)).astype(np.int16)
    assert np.abs(read_audio(encode_wav(tone, rate))[400:-400]).max() < 33  # 60 dB down


# ------------------------------------------------------------------------------------------------------------ channels
def test_stereo_is_the_mean():
    data = sound(1.0, codec="pcm_s16le", layout="stereo", gains=(1.0, 0.0))
    np.testing.assert_allclose(read_audio(data), reference(1.0) / 2, atol=1.1)
    opposite = sound(1.0, codec="pcm_s16le", layout="stereo", gains=(1.0, -1.0))
    assert np.abs(read_audio(opposite)).max() <= 1


@pytest.mark.parametrize("layout", ["stereo", "2.1", "quad", "5.0", "5.1", "7.1"])
def test_channels_are_weighted_as_documented(layout):
    names = [channel.name for channel in av.AudioLayout(layout).channels]
    low = names.index("LFE") if "LFE" in names else None
    for index in range(len(names)):
        gains = tuple(np.eye(len(names))[index])
        data = sound(0.3, codec="pcm_s16le", layout=layout, gains=gains)
        power = np.abs(read_audio(data).astype(float)).mean() / np.abs(reference(0.3).astype(float)).mean()
        np.testing.assert_allclose(power, weights(tuple(names))[index], atol=2e-3)
        assert (power == 0) == (index == low)


def test_weights_follow_bs775():
    found = weights(("FL", "FR", "FC", "LFE", "BL", "BR"))
    side = np.array([1, 0, 2**-0.5, 0, 2**-0.5, 0])  # what a left loudspeaker gets
    other = np.array([0, 1, 2**-0.5, 0, 0, 2**-0.5])
    np.testing.assert_allclose(found, (side + other) / (side + other).sum(), rtol=1e-6)
    np.testing.assert_allclose(weights(("UNK0", "UNK1", "UNK2")), 1 / 3, rtol=1e-6)
    np.testing.assert_allclose(weights(("FC",)), 1)


def test_loud_sound_is_clipped_not_wrapped():
    loud = np.full(16_000, 3.0, np.float32)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="wav") as out:
        stream = add_sound(out, "pcm_f32le", 16_000)
        frame = av.AudioFrame.from_ndarray(loud[None], "flt", "mono")
        frame.sample_rate = 16_000
        out.mux([*stream.encode(frame), *stream.encode(None)])
    assert (read_audio(buffer.getvalue()) == 32767).all()


# ----------------------------------------------------------------------------------------------- the presentation clock
def film(tmp_path, *, sound_start=0.0, video_start=0.0, container="mp4", codec="aac", rate=16_000):
    """A film of 2 s of pictures and 2 s of sound, each beginning when told."""
    path = tmp_path / f"film.{container}"
    with av.open(str(path), "w") as out:
        stream, track = add_video(out, numbered(50)), add_sound(out, codec, rate)
        for index, picture in enumerate(numbered(50)):
            mux_picture(out, stream, picture, index + round(video_start * 25))
        out.mux(stream.encode(None))
        wave = melody(np.arange(2 * rate) / rate)
        mux_sound(out, track, wave, rate, start=round(sound_start * rate))
    return path


@pytest.mark.parametrize(("container", "codec"), [("mp4", "aac"), ("mkv", "flac"), ("ts", "mp2")])
def test_late_sound_is_preceded_by_silence(tmp_path, container, codec):
    path = film(tmp_path, sound_start=0.5, container=container, codec=codec)
    found = read_audio(path)
    late = probe(path).audio.start_seconds
    assert 0.5 - 0.065 < late < 0.502  # the encoder's delay, where it is not marked, is heard before the sound
    assert not found[: round(late * 16_000) - 64].any()
    assert not read_audio(path, 0.1, 0.2).any()
    source = np.concatenate([np.zeros(8000, np.int16), reference(2.0)])
    assert abs(lag(found, source)) <= 16
    assert abs(lag(read_audio(path, 0.4, 1.0), source[6400:22_400])) <= 16


def test_sound_before_the_pictures_starts_the_clock(tmp_path):
    path = film(tmp_path, video_start=0.4)
    assert lag(read_audio(path), reference(2.0)) == 0
    assert abs(probe(path).video.start_seconds - 0.4) < 0.05


def test_a_gap_in_the_stamps_is_silence(tmp_path):
    path = tmp_path / "gap.mka"
    with av.open(str(path), "w", format="matroska") as out:
        track = add_sound(out, "pcm_s16le", 16_000)
        packets = []
        for second in (0, 2):
            block = reference(1.0, second)[None]
            frame = av.AudioFrame.from_ndarray(block, "s16", "mono")
            frame.sample_rate, frame.pts = 16_000, second * 16_000
            packets += track.encode(frame)
        out.mux(packets + track.encode(None))
    found = read_audio(path)
    assert len(found) == 48_000
    np.testing.assert_array_equal(found[:16_000], reference(1.0))
    assert not found[16_000:32_000].any()
    np.testing.assert_array_equal(found[32_000:], reference(1.0, 2))


# ------------------------------------------------------------------------------------------------------------- refusals
def test_ranges_at_and_after_the_end():
    data = encode_wav(reference(2.0))
    assert len(read_audio(data, 1.5, 10.0)) == 8000
    assert len(read_audio(data, 1.9999, 1.0)) == 2
    for start in (2.0, 2.5, 1e6):
        with pytest.raises(MediaError, match=r"up to 2\.000 s") as caught:
            read_audio(data, start, 1.0)
        assert caught.value.reason is SkipReason.OUT_OF_RANGE


@pytest.mark.parametrize("asked", [(-1.0, 1.0), (0.0, 0.0), (0.0, -1.0), (float("nan"), 1.0), (0.0, float("inf"))])
def test_ranges_that_are_none(asked):
    with pytest.raises(UsageError, match="range of"):
        read_audio(encode_wav(reference(0.1)), *asked)


def test_pictures_only_is_typed(tmp_path):
    write_video(tmp_path / "silent.mp4", numbered(10), 25)
    with pytest.raises(MediaError) as caught:
        read_audio(tmp_path / "silent.mp4")
    assert caught.value.reason is SkipReason.NO_AUDIO


def test_the_duration_limit_is_for_the_decoded_range():
    data = encode_wav(reference(5.0))
    limits = Limits(decoded_seconds=2.0)
    assert len(read_audio(data, 2.0, 1.5, limits=limits)) == 24_000
    for asked in ((0.0, 2.5), (0.0, None)):
        with pytest.raises(MediaError, match="decoded seconds") as caught:
            read_audio(data, *asked, limits=limits)
        assert caught.value.reason is SkipReason.OVER_LIMIT
