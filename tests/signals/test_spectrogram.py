"""Padding, cutting and scaling of spectrograms and waveforms: closed forms."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seehear.errors import UsageError
from seehear.signals import (
    denormalize_spectrogram,
    fit_frames,
    normalize_spectrogram,
    waveform_from_int16,
    waveform_to_int16,
)


@given(frames=st.integers(0, 12), wanted=st.integers(0, 12))
def test_fit_keeps_the_beginning_and_pads_with_zeros(frames, wanted):
    x = torch.arange(1.0, 1 + 2 * frames * 3).view(2, frames, 3) if frames else torch.ones(2, 0, 3)
    fitted = fit_frames(x, wanted)
    kept = min(frames, wanted)
    assert fitted.shape == (2, wanted, 3)
    assert torch.equal(fitted[:, :kept], x[:, :kept])
    assert (fitted[:, kept:] == 0).all()


def test_the_published_scale():
    x = torch.tensor([-5.081, 0.0, -5.081 + 4.4849, -5.081 + 2 * 4.4849], dtype=torch.float64)
    expected = torch.tensor([0.0, 5.081 / 4.4849, 1.0, 2.0], dtype=torch.float64)
    torch.testing.assert_close(normalize_spectrogram(x), expected)
    torch.testing.assert_close(denormalize_spectrogram(normalize_spectrogram(x)), x)
    torch.testing.assert_close(normalize_spectrogram(x, mean=1.0, std=2.0), (x - 1) / 2)


def test_int16_round_trip_is_exact_over_all_values():
    every = torch.arange(-32768, 32768).to(torch.int16)
    waveform = waveform_from_int16(every)
    assert waveform.dtype == torch.float32
    assert waveform.min() == -1
    assert waveform.max() < 1
    assert torch.equal(waveform_to_int16(waveform), every)


def test_too_loud_is_cut_not_wrapped():
    loud = torch.tensor([1.0, 5.0, -1.0, -5.0])
    assert waveform_to_int16(loud).tolist() == [32767, 32767, -32768, -32768]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit_frames(torch.zeros(3, 4), 5), r"\[B, T, F\]"),
        (lambda: fit_frames(torch.zeros(1, 3, 4), -1), "-1 frames"),
        (lambda: waveform_from_int16(torch.zeros(3)), "expected int16"),
    ],
)
def test_wrong_calls_say_what_to_do(call, message):
    with pytest.raises(UsageError, match=message):
        call()
