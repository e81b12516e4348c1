"""Masks between bands and bins: ones give the mixture back, ideal masks the sources, on every frequency axis."""

import numpy as np
import pytest
import torch

from seehear import signals
from seehear.errors import UsageError
from seehear.losses.separation import mask_target
from seehear.metrics.separation import si_sdr

BANDS = [
    signals.Bands(),
    signals.Bands("log", 128),
    signals.Bands("linear", 401),
    signals.Bands("mel", 40, 512, 128),
    signals.Bands("log", 64, 512, 200),
]


def _sources():
    """A low chord that fades and a high one that swells, half a second."""
    time = torch.arange(8000) / 16_000
    low = sum(torch.sin(2 * np.pi * f * time) / f for f in (220, 440, 660)) * 100 * (1 - time)
    high = sum(torch.sin(2 * np.pi * f * time) for f in (1500, 2600, 3900)) * 0.3 * time
    return torch.stack([low, high])


@pytest.mark.parametrize("bands", BANDS, ids=str)
def test_a_mask_of_ones_is_the_mixture(bands):
    mixture = _sources().sum(dim=0, keepdim=True).double()
    spectrum = signals.mixture_spectrum(mixture, bands)
    frames = spectrum.shape[2] - 1  # the network reads one less
    ones = torch.ones(1, bands.count, frames, dtype=torch.float64)
    torch.testing.assert_close(signals.separated(spectrum, ones, bands, 8000), mixture)
    assert signals.separated(spectrum, torch.zeros_like(ones), bands, 8000).abs().max() == 0


@pytest.mark.parametrize("target", ["binary", "ratio"])
@pytest.mark.parametrize("bands", BANDS, ids=str)
def test_the_ideal_mask_gives_the_sources_back(bands, target):
    sources = _sources()
    spectra = signals.mixture_spectrum(sources, bands)
    mixture, magnitudes = spectra.sum(dim=0, keepdim=True), signals.band_magnitude(spectra, bands)
    assert magnitudes.shape == (2, bands.count, spectra.shape[2])
    for wanted in (0, 1):
        both = magnitudes.sum(dim=0)
        mask = mask_target(magnitudes[wanted], magnitudes[1 - wanted], both, target)
        found = signals.separated(mixture, mask[None], bands, 8000)[0]
        before = si_sdr(sources[wanted].numpy(), sources.sum(dim=0).numpy())
        assert si_sdr(sources[wanted].numpy(), found.numpy()) > max(before, 0) + 10


def test_an_even_mask_stays_even_and_as_published_it_does_not():
    bands = signals.Bands()
    even = torch.full((1, 128, 5), 0.25)
    assert torch.allclose(signals.over_bins(even, bands, 6), torch.tensor(0.25))
    published = signals.over_bins(even, bands, 6, published=True)
    assert published.shape == (1, 401, 6)
    assert (published[:, :, 5] == 0).all()
    assert (published[:, 0] == 0).all()
    top = 2595 * np.log10(1 + 8000 / 700)
    corners = 700 * (10 ** (np.linspace(0, top, 130) / 2595) - 1)
    low, peak, high = corners[:-2], corners[1:-1], corners[2:]
    row = np.maximum(0, np.minimum((6000 - low) / (peak - low), (high - 6000) / (high - peak)))  # bin 300, 20 Hz each
    mask = torch.rand(1, 128, 1)
    expected = float((mask[0, :, 0].double() * torch.tensor(row)).sum())
    assert signals.over_bins(mask, bands, 1, published=True)[0, 300, 0].item() == pytest.approx(expected, rel=1e-5)


def test_a_tone_lies_in_its_band():
    time = torch.arange(8000) / 16_000
    tone = torch.sin(2 * np.pi * 1000 * time)[None]
    for bands in BANDS[:2]:
        magnitude = signals.band_magnitude(signals.mixture_spectrum(tone, bands), bands)
        loudest = int(magnitude[0, :, 10].argmax())
        one = torch.zeros(1, bands.count, 1)
        one[0, loudest] = 1
        bins = signals.over_bins(one, bands, 1)[0, :, 0]
        assert bins[50] > 0.3
        assert bins[:40].sum() == bins[62:].sum() == 0


@pytest.mark.parametrize("values", [("mel", 1), ("linear", 128)])
def test_axes_that_make_no_sense_are_refused(values):
    with pytest.raises(UsageError, match=f"{values[1]} {values[0]} bands"):
        signals.Bands(*values)


def test_masks_that_do_not_fit_are_refused():
    for shape in ((1, 127, 3), (1, 128, 9)):
        with pytest.raises(UsageError, match="at most 8"):
            signals.over_bins(torch.ones(shape), signals.Bands(), 8)
