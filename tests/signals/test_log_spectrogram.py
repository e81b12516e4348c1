"""The localisation systems' spectrogram: SciPy as oracle, shapes, silence; short sounds played again."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import spectrogram

from seehear.errors import UsageError
from seehear.signals import log_spectrogram, power_density, repeat_short


@pytest.mark.parametrize(("rate", "seconds", "frames"), [(16_000, 3, 200), (22_050, 3, 276), (44_100, 3, 554)])
def test_it_is_scipys_with_its_defaults(rate: int, seconds: int, frames: int) -> None:
    waveform = np.random.default_rng(rate).uniform(-1, 1, rate * seconds) + 0.2
    expected = spectrogram(waveform, rate, nperseg=512, noverlap=274)[2]
    found = power_density(torch.from_numpy(waveform)[None], rate=rate)
    assert found.shape == (1, 257, frames)
    np.testing.assert_allclose(found[0].numpy(), expected, rtol=1e-9, atol=1e-18)
    logged = log_spectrogram(torch.from_numpy(waveform).float()[None], rate=rate)
    np.testing.assert_allclose(logged[0].numpy(), np.log(expected + 1e-7) / 12, atol=2e-6)


@given(size=st.sampled_from([8, 32, 62]), shift=st.integers(1, 40), samples=st.integers(62, 200))
def test_any_segments(size: int, shift: int, samples: int) -> None:
    shift = min(shift, size)
    waveform = np.random.default_rng(samples).normal(size=(2, samples))
    expected = spectrogram(waveform, 100, nperseg=size, noverlap=size - shift)[2]
    np.testing.assert_allclose(
        power_density(torch.from_numpy(waveform), size, shift, 100).numpy(), expected, rtol=1e-9, atol=1e-15
    )


def test_a_constant_is_silence() -> None:
    found = log_spectrogram(torch.full((1, 1024), 0.5))
    torch.testing.assert_close(found, torch.full_like(found, np.log(1e-7) / 12))


def test_what_is_no_waveform_is_refused() -> None:
    with pytest.raises(UsageError, match="S of at least 512"):
        power_density(torch.zeros(1, 511))
    with pytest.raises(UsageError, match="int16"):
        power_density(torch.zeros(1, 600, dtype=torch.int16))
    with pytest.raises(UsageError, match="an even size"):
        power_density(torch.zeros(1, 600), size=511)


def test_short_sounds_start_again() -> None:
    waveform = torch.tensor([[1, 2, 3, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6, 7], [0] * 7], dtype=torch.int16)
    found = repeat_short(waveform, torch.tensor([3, 7, 0]))
    assert found.tolist() == [[1, 2, 3, 1, 2, 3, 1], [1, 2, 3, 4, 5, 6, 7], [0] * 7]
    assert found.dtype == torch.int16
    with pytest.raises(UsageError, match="of a waveform"):
        repeat_short(waveform, torch.tensor([3]))
