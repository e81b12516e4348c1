"""Resampling against SciPy's polyphase filter, and against the tones it must keep and refuse."""

import math

import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seehear.errors import UsageError
from seehear.signals import resample
from seehear.signals.resample import STOP_BAND_DB, ZERO_CROSSINGS, low_pass

RATES = [(44_100, 16_000), (48_000, 16_000), (8_000, 16_000), (22_050, 16_000), (11_025, 16_000), (16_000, 44_100)]


def lowest_terms(from_rate, to_rate):
    common = math.gcd(from_rate, to_rate)
    return to_rate // common, from_rate // common


def tone(hertz, rate, seconds=0.5):
    return np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)


def kaiser_taps(up, down):
    """The same filter, designed by SciPy: Kaiser's attenuation and width, the stop band from the lower Nyquist."""
    half = ZERO_CROSSINGS * max(up, down)
    width = (STOP_BAND_DB - 7.95) / (2.285 * math.pi * 2 * half)
    assert scipy.signal.kaiser_atten(2 * half + 1, width) == pytest.approx(STOP_BAND_DB)
    cutoff = 1 / max(up, down) - width / 2
    return scipy.signal.firwin(2 * half + 1, cutoff, window=("kaiser", scipy.signal.kaiser_beta(STOP_BAND_DB)))


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
def test_matches_scipy_with_the_same_filter(from_rate, to_rate):
    up, down = lowest_terms(from_rate, to_rate)
    taps = kaiser_taps(up, down)
    np.testing.assert_allclose(low_pass(up, down).numpy() / up, taps, atol=1e-9)
    x = np.random.default_rng(0).normal(size=(2, 5003))
    expected = scipy.signal.resample_poly(x, up, down, axis=1, window=taps)
    np.testing.assert_allclose(resample(torch.from_numpy(x), from_rate, to_rate).numpy(), expected, atol=1e-7)


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
def test_close_to_scipys_default_on_ordinary_sound(from_rate, to_rate):
    up, down = lowest_terms(from_rate, to_rate)
    x = sum(tone(hertz, from_rate) for hertz in (110, 700, 2500))[None]
    expected = scipy.signal.resample_poly(x, up, down, axis=1)
    actual = resample(torch.from_numpy(x), from_rate, to_rate).numpy()
    assert actual.shape == expected.shape
    inner = slice(400, -400)
    np.testing.assert_allclose(actual[:, inner], expected[:, inner], atol=1e-2)


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
def test_tones_keep_their_height_and_place(from_rate, to_rate):
    nyquist = min(from_rate, to_rate) / 2
    for hertz in (100.0, 0.5 * nyquist, 0.9 * nyquist):
        actual = resample(torch.from_numpy(tone(hertz, from_rate))[None], from_rate, to_rate)[0].numpy()
        expected = tone(hertz, to_rate)[: len(actual)]
        inner = slice(1000, -1000)
        np.testing.assert_allclose(actual[: len(expected)][inner], expected[inner], atol=3e-4)


@pytest.mark.parametrize(("from_rate", "to_rate"), [(44_100, 16_000), (48_000, 16_000)])
def test_tones_above_the_new_nyquist_are_gone(from_rate, to_rate):
    for hertz in (8_050, 9_000, 15_900):
        folded = resample(torch.from_numpy(tone(hertz, from_rate))[None], from_rate, to_rate)[0, 1000:-1000]
        assert 20 * torch.log10(folded.abs().max()) < -75


def test_equal_rates_return_the_same_tensor():
    x = torch.randn(2, 100)
    assert resample(x, 16_000, 16_000) is x


@settings(max_examples=30, deadline=None)
@given(samples=st.integers(0, 400), batch=st.integers(0, 3), from_rate=st.integers(1, 700), to_rate=st.integers(1, 700))
def test_any_ratio_and_length_match_scipy(samples, batch, from_rate, to_rate):
    x = np.random.default_rng(samples).normal(size=(batch, samples))
    actual = resample(torch.from_numpy(x), from_rate, to_rate).numpy()
    assert actual.shape == (batch, -(-samples * to_rate // from_rate))
    if x.size and from_rate != to_rate:
        up, down = lowest_terms(from_rate, to_rate)
        expected = scipy.signal.resample_poly(x, up, down, axis=1, window=low_pass(up, down).numpy() / up)
        np.testing.assert_allclose(actual, expected, atol=1e-9)


def test_batch_equals_each_alone_and_half_types_are_computed_wide():
    x = torch.randn(3, 4410, generator=torch.Generator().manual_seed(0))
    together = resample(x, 44_100, 16_000)
    torch.testing.assert_close(together, torch.cat([resample(row[None], 44_100, 16_000) for row in x]))
    assert resample(x.bfloat16(), 44_100, 16_000).dtype == torch.bfloat16
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(resample(x, 44_100, 16_000), together)


def test_gradients_are_right():
    x = torch.randn(2, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(lambda w: resample(w, 3, 2), (x,))


@pytest.mark.parametrize(
    "call",
    [
        lambda: resample(torch.zeros(100), 3, 2),
        lambda: resample(torch.zeros(1, 100), 0, 2),
        lambda: resample(torch.zeros(1, 100), 2, -1),
        lambda: resample(torch.zeros(1, 100, dtype=torch.int16), 3, 2),
    ],
)
def test_wrong_calls_are_refused(call):
    with pytest.raises(UsageError, match="expected"):
        call()
