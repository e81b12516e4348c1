"""The HTK log-mel spectrogram against NumPy and slow triangles; padding by mirror images; random loudness."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seehear import signals
from seehear.errors import UsageError


def _slow_log_mel(waveform, size, shift, mel_bins, rate):
    """Frame by frame with NumPy's FFT, mel bin by mel bin."""
    padded = np.pad(waveform, size // 2, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    frames = [padded[s : s + size] * window for s in range(0, len(padded) - size + 1, shift)]
    power = np.abs(np.fft.rfft(np.array(frames))) ** 2
    top = 2595 * math.log10(1 + rate / 2 / 700)
    corners = [700 * (10 ** (top * i / (mel_bins + 1) / 2595) - 1) for i in range(mel_bins + 2)]
    result = np.zeros((len(frames), mel_bins))
    for m in range(mel_bins):
        low, peak, high = corners[m : m + 3]
        for k in range(size // 2 + 1):
            hertz = k * rate / size
            if low < hertz < high:
                share = (hertz - low) / (peak - low) if hertz <= peak else (high - hertz) / (high - peak)
                result[:, m] += share * power[:, k]
    return np.log10(result + 1e-7)


def test_the_published_spectrogram_is_numpys():
    waveform = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 48_000))
    found = signals.log_mel(torch.from_numpy(waveform))
    assert found.shape == (2, 193, 128)
    for row, values in zip(waveform, found, strict=True):
        np.testing.assert_allclose(values.numpy(), _slow_log_mel(row, 800, 250, 128, 16_000), atol=1e-9)


def test_a_pure_tone_stands_in_its_mel_bin_and_silence_at_the_floor():
    time = torch.arange(16_000) / 16_000
    tone = torch.sin(2 * math.pi * 1000 * time)[None]
    loudest = int(signals.log_mel(tone)[0, 20].argmax())
    mel = 2595 * math.log10(1 + 1000 / 700)
    assert abs(loudest + 1 - mel / (2595 * math.log10(1 + 8000 / 700)) * 129) < 1
    assert torch.equal(signals.log_mel(torch.zeros(1, 16_000)), torch.full((1, 65, 128), -7.0))


def test_half_precision_is_computed_in_full():
    waveform = torch.rand(1, 8000).to(torch.bfloat16)
    torch.testing.assert_close(signals.log_mel(waveform), signals.log_mel(waveform.float()))


@pytest.mark.parametrize("sizes", [(0, 800), (8, 801)])
def test_a_bank_of_nothing_is_refused(sizes):
    with pytest.raises(UsageError, match="mel bins over"):
        signals.htk_bank(torch.device("cpu"), torch.float32, 16_000, sizes[1], sizes[0])


@given(length=st.integers(1, 12), room=st.integers(1, 40))
def test_mirrored_padding_is_numpys_symmetric(length, room):
    values = np.arange(1, room + 1)
    heard = min(length, room)
    found = signals.mirror_short(torch.tensor(values)[None], torch.tensor([length]))[0]
    expected = values[:heard]
    while len(expected) < room:
        expected = np.pad(expected, (0, min(room - len(expected), len(expected))), mode="symmetric")
    periodic = np.concatenate([values[:heard], values[:heard][::-1]] * room)[:room]
    np.testing.assert_array_equal(found.numpy(), periodic)
    np.testing.assert_array_equal(expected[: 2 * heard], periodic[: 2 * heard])


def test_silence_stays_and_shapes_must_fit():
    silent = torch.zeros(1, 5, dtype=torch.int16)
    assert torch.equal(signals.mirror_short(silent, torch.tensor([0])), silent)
    with pytest.raises(UsageError, match="lengths of a waveform"):
        signals.mirror_short(silent, torch.tensor([1, 2]))


def test_loudness_is_drawn_per_clip_within_its_bounds_and_cut_at_full_scale():
    keys = torch.arange(400)
    quiet = torch.full((400, 1), 0.1)
    gains = 20 * torch.log10(signals.random_gain(quiet, keys, 6.0) / 0.1)
    assert gains.abs().max() <= 6.0
    assert gains.std() == pytest.approx(12 / math.sqrt(12), rel=0.1)
    torch.testing.assert_close(signals.random_gain(quiet[7:9], keys[7:9], 6.0), 0.1 * 10 ** (gains[7:9] / 20))
    assert signals.random_gain(torch.ones(400, 1), keys, 6.0).max() == 1.0
