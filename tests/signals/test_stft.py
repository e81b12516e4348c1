"""The Fourier transform against SciPy, and its round trip."""

import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seehear.errors import UsageError
from seehear.signals import istft, stft


def test_matches_scipy_away_from_the_ends():
    x = np.random.default_rng(0).normal(size=4000)
    window = scipy.signal.get_window("hann", 256, fftbins=True)
    transform = scipy.signal.ShortTimeFFT(window, hop=80, fs=1, fft_mode="onesided", scale_to=None, phase_shift=-128)
    expected = transform.stft(x, p0=2, p1=48)
    actual = stft(torch.from_numpy(x)[None], 256, 80)[0, :, 2:48].numpy()
    assert actual.shape == expected.shape
    np.testing.assert_allclose(np.abs(actual), np.abs(expected), atol=1e-10)
    np.testing.assert_allclose(actual * np.conj(expected), np.abs(expected) ** 2, atol=1e-8)


@settings(max_examples=25, deadline=None)
@given(
    samples=st.integers(200, 900),
    size=st.sampled_from([16, 62, 256]),
    overlap=st.integers(2, 5),
    batch=st.integers(1, 3),
)
def test_round_trip(samples, size, overlap, batch):
    shift = size // overlap
    x = torch.randn(batch, samples, dtype=torch.float64, generator=torch.Generator().manual_seed(samples))
    spectrum = stft(x, size, shift)
    assert spectrum.shape == (batch, size // 2 + 1, samples // shift + 1)
    torch.testing.assert_close(istft(spectrum, shift, samples), x, atol=1e-9, rtol=0)
    short = istft(spectrum, shift)
    torch.testing.assert_close(short, x[:, : short.shape[1]], atol=1e-9, rtol=0)
    assert samples - shift < short.shape[1] <= samples


def test_gradients_are_right():
    x = torch.randn(2, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(lambda w: stft(w, 16, 8).abs().square(), (x,))


def test_half_types_and_autocast_are_computed_wide():
    x = torch.randn(1, 400, generator=torch.Generator().manual_seed(0))
    assert stft(x.half(), 64, 16).dtype == torch.complex64
    with torch.autocast("cpu", dtype=torch.bfloat16):
        spectrum = stft(x, 64, 16)
        back = istft(spectrum, 16, 400)
    assert torch.equal(spectrum, stft(x, 64, 16))
    torch.testing.assert_close(back, x, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stft(torch.zeros(1, 400), 64, 33), "at most half"),
        (lambda: stft(torch.zeros(1, 400), 63, 16), "even size"),
        (lambda: stft(torch.zeros(1, 400), 64, 0), "shift"),
        (lambda: stft(torch.zeros(1, 32), 64, 16), "S above 32"),
        (lambda: stft(torch.zeros(400), 64, 16), r"\[B, S\]"),
        (lambda: stft(torch.zeros(1, 400, dtype=torch.int16), 64, 16), "floating-point"),
        (lambda: istft(torch.zeros(1, 33, 9), 16), "complex"),
        (lambda: istft(torch.zeros(1, 33, 9, dtype=torch.complex64), 40), "at most half"),
    ],
)
def test_wrong_calls_say_what_to_do(call, message):
    with pytest.raises(UsageError, match=message):
        call()
