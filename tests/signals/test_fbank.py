"""Filter banks against kaldi-native-fbank (the C++ code of the Kaldi family), in the published recipe's settings."""

import functools
import os
from pathlib import Path

import av
import kaldi_native_fbank as knf
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seehear.errors import UsageError
from seehear.signals import LOG_FLOOR, fbank, fit_frames, frame_count, frame_samples, waveform_from_int16

CLIPS = (
    "audioset_--BfvyPmVMo.wav",
    "audioset_00W1lcxW-WU.mp4",
    "kinetics_goat.mp4",
    "music_one_frame.mp4",
    "vggsound_KlsG1EnBEjc.mp4",
)


def kaldi(waveform, bins=128, shift_ms=10.0, window="hanning", sample_rate=16_000, low=20.0, high=0.0):
    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.window_type = window
    options.frame_opts.frame_shift_ms = shift_ms
    options.frame_opts.samp_freq = sample_rate
    options.htk_compat, options.use_energy = True, False
    options.mel_opts.num_bins, options.mel_opts.low_freq, options.mel_opts.high_freq = bins, low, high
    extractor = knf.OnlineFbank(options)
    extractor.accept_waveform(sample_rate, np.asarray(waveform, np.float32))
    extractor.input_finished()
    frames = [extractor.get_frame(i) for i in range(extractor.num_frames_ready)]
    return np.stack(frames) if frames else np.zeros((0, bins), np.float32)


def noise(samples=48_000, level=0.1, seed=0):
    return (np.random.default_rng(seed).normal(size=samples) * level).astype(np.float32)


def ours(waveform, **settings):
    return fbank(torch.from_numpy(waveform)[None], **settings)[0].numpy()


@functools.cache
def real_clip(name):
    folder = os.environ.get("SEEHEAR_MEDIA")
    if not folder:
        pytest.skip("SEEHEAR_MEDIA names no folder of real clips")
    with av.open(str(Path(folder) / name)) as container:
        to_mono = av.AudioResampler("s16", "mono", 16_000)
        parts = [out.to_ndarray()[0] for frame in container.decode(audio=0) for out in to_mono.resample(frame)]
        parts += [out.to_ndarray()[0] for out in to_mono.resample(None)]
    return waveform_from_int16(torch.from_numpy(np.concatenate(parts))).numpy()


def check_close(waveform, **settings):
    expected = kaldi(waveform, bins=settings.get("num_mel_bins", 128), shift_ms=settings.get("frame_shift_ms", 10.0))
    actual = ours(waveform, **settings)
    assert actual.shape == expected.shape
    difference = np.abs(actual - expected)
    assert difference.max() < 5e-3  # in the quietest bins both round: each is up to 2e-3 from float64
    assert (difference < 1e-3).mean() >= 0.99


@pytest.mark.parametrize("settings", [{}, {"num_mel_bins": 64, "frame_shift_ms": 20.0}], ids=["paper", "small"])
@pytest.mark.parametrize("name", CLIPS)
def test_real_clips_match_kaldi(name, settings):
    check_close(real_clip(name), **settings)


def test_most_real_clips_are_not_silent():
    assert sum(ours(real_clip(name)).max() > LOG_FLOOR + 5 for name in CLIPS) >= 4


@pytest.mark.parametrize("level", [0.5, 0.1, 1e-3, 1e-5])
def test_noise_matches_kaldi(level):
    check_close(noise(level=level))


@pytest.mark.parametrize("hertz", [50, 440, 1000, 3777.7, 7900])
def test_pure_tones_match_kaldi(hertz):
    tone = (0.5 * np.sin(2 * np.pi * hertz * np.arange(32_000) / 16_000)).astype(np.float32)
    assert np.abs(ours(tone) - kaldi(tone)).max() < 1e-2


@pytest.mark.parametrize(
    ("keywords", "kaldi_keywords"),
    [
        ({"window": "povey"}, {"window": "povey"}),
        ({"sample_rate": 8000, "num_mel_bins": 40}, {"sample_rate": 8000, "bins": 40}),
        (
            {"low_frequency": 100.0, "high_frequency": 4000.0, "num_mel_bins": 32},
            {"low": 100.0, "high": 4000.0, "bins": 32},
        ),
        ({"high_frequency": -400.0}, {"high": -400.0}),
    ],
    ids=["povey", "8 kHz", "band", "below Nyquist"],
)
def test_other_settings_match_kaldi(keywords, kaldi_keywords):
    x = noise()
    np.testing.assert_allclose(ours(x, **keywords), kaldi(x, **kaldi_keywords), atol=2e-3)


def test_the_empty_mel_bin_of_the_published_setting_stays_at_the_floor_as_in_kaldi():
    """128 bins over a 512-point FFT leave one triangle between two FFT bins."""
    x = noise()
    empty = (ours(x) == np.float32(LOG_FLOOR)).all(axis=0)
    assert empty.sum() == 1
    np.testing.assert_array_equal(empty, (kaldi(x) < LOG_FLOOR + 1e-5).all(axis=0))


def test_silence_is_the_floor():
    values = fbank(torch.zeros(2, 16_000))
    assert values.shape == (2, 98, 128)
    torch.testing.assert_close(values, torch.full_like(values, LOG_FLOOR))


def test_a_constant_offset_changes_nothing():
    x = torch.from_numpy(noise())[None]
    for subtract_mean in (True, False):
        torch.testing.assert_close(fbank(x + 0.3, subtract_mean=subtract_mean), fbank(x), atol=5e-3, rtol=0)


def test_gain_adds_to_the_logarithm():
    x = torch.from_numpy(noise()).double()[None]
    heard = fbank(x) > LOG_FLOOR + 1
    torch.testing.assert_close((fbank(x * 4) - fbank(x))[heard], torch.full((int(heard.sum()),), np.log(16.0)).double())


@settings(max_examples=25, deadline=None)
@given(
    samples=st.integers(0, 3000),
    batch=st.integers(0, 3),
    bins=st.integers(1, 80),
    shift_ms=st.sampled_from([5.0, 10.0, 12.5, 20.0, 40.0]),
)
def test_any_length_gives_kaldis_frame_count(samples, batch, bins, shift_ms):
    values = fbank(torch.full((batch, samples), 0.1), num_mel_bins=bins, frame_shift_ms=shift_ms)
    assert values.shape == (batch, len(kaldi(np.full(samples, 0.1), bins, shift_ms)), bins)
    length, shift = frame_samples(16_000, 25.0, shift_ms)
    assert values.shape[1] == frame_count(samples, length, shift)


def test_frames_past_the_valid_samples_are_those_of_a_padded_spectrogram():
    x = torch.from_numpy(noise(4 * 16_000).reshape(4, -1)) + 0.05
    samples = torch.tensor([16_000, 9_999, 399, 0])
    cut = x * (torch.arange(16_000) < samples[:, None])
    values = fbank(cut, samples=samples)
    for row, count in enumerate(samples.tolist()):
        alone = fit_frames(fbank(x[row : row + 1, :count]), values.shape[1])
        torch.testing.assert_close(values[row], alone[0], atol=2e-4, rtol=0)
    assert (values[2:] == 0).all()


def test_what_lies_beyond_the_valid_samples_cannot_reach_the_result():
    x = torch.from_numpy(noise(8000))[None].requires_grad_()
    fbank(x, samples=torch.tensor([5000])).square().sum().backward()
    assert x.grad is not None
    assert (x.grad[:, 5000:] == 0).all()
    assert (x.grad[:, 1000:4000] != 0).all()


def test_batch_equals_each_alone():
    x = torch.from_numpy(noise(5 * 8000).reshape(5, -1))
    torch.testing.assert_close(fbank(x), torch.cat([fbank(row[None]) for row in x]), atol=1e-5, rtol=0)


def test_gradients_are_right():
    x = torch.from_numpy(noise(2 * 60).reshape(2, -1)).double().requires_grad_()
    samples = torch.tensor([60, 45])

    def small(waveform):
        return fbank(waveform, samples=samples, sample_rate=800, num_mel_bins=4, frame_length_ms=20.0)

    assert small(x).shape == (2, 6, 4)
    assert torch.autograd.gradcheck(small, (x,))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_dtype_is_kept(dtype):
    x = torch.from_numpy(noise(8000))[None]
    values = fbank(x.to(dtype))
    assert values.dtype == dtype
    torch.testing.assert_close(values, fbank(x.to(dtype).double()).to(dtype), atol=2e-3, rtol=1e-2)


def test_int16_is_read_as_its_waveform():
    sound = torch.randint(-9000, 9000, (30, 16_000)).to(torch.int16)
    samples = torch.arange(30) * 500 + 1500
    for valid in (None, samples):
        expected = fbank(waveform_from_int16(sound), samples=valid)
        torch.testing.assert_close(fbank(sound, samples=valid), expected, atol=0, rtol=0)


def test_autocast_does_not_reach_inside():
    x = torch.from_numpy(noise(8000))[None]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = fbank(x)
    torch.testing.assert_close(inside, fbank(x), atol=0, rtol=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fbank(torch.zeros(800)), r"\[B, S\]"),
        (lambda: fbank(torch.zeros(1, 800, dtype=torch.int32)), "waveform_from_int16"),
        (lambda: fbank(torch.zeros(2, 800), samples=torch.tensor([800])), r"\[B\] = \[2\]"),
        (lambda: fbank(torch.zeros(1, 800), window="hamming"), "'hann' or 'povey'"),
        (lambda: fbank(torch.zeros(1, 800), frame_shift_ms=0.01), "at least 2 samples every 1"),
        (lambda: fbank(torch.zeros(1, 800), low_frequency=9000.0), "edges between 0 and 8000"),
        (lambda: fbank(torch.zeros(1, 800), high_frequency=9000.0), "edges between 0 and 8000"),
        (lambda: fbank(torch.zeros(1, 800), num_mel_bins=0), "at least one bin"),
    ],
)
def test_wrong_calls_say_what_to_do(call, message):
    with pytest.raises(UsageError, match=message):
        call()
