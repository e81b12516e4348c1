"""Noise, roll and SpecAugment: their laws, per-sample loops, keyed determinism."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seehear.errors import UsageError
from seehear.signals import add_noise, random_shifts, roll_time, spec_augment

KEYS = torch.arange(600) * 104_729 + 5


def spectrograms(count=600, frames=40, bins=24):
    return torch.randn(count, frames, bins, generator=torch.Generator().manual_seed(0))


def quantiles(values):
    return values.double().quantile(torch.linspace(0.1, 0.9, 9, dtype=torch.float64))


def test_noise_is_a_uniform_matrix_times_a_uniform_strength():
    clean = torch.zeros(600, 40, 24, dtype=torch.float64)
    noise = add_noise(clean, KEYS)
    strength = noise.flatten(1).max(dim=1).values  # of 960 draws: within 0.5 % of the strength
    expected = torch.linspace(0.1, 0.9, 9, dtype=torch.float64)
    torch.testing.assert_close(quantiles(strength / 0.1), expected, atol=0.06, rtol=0)
    shares = (noise / strength[:, None, None]).flatten()
    torch.testing.assert_close(quantiles(shares), expected, atol=0.01, rtol=0)
    assert noise.min() >= 0
    assert noise.max() < 0.1
    neighbours = torch.corrcoef(torch.stack([shares[:-1], shares[1:]]))[0, 1]
    assert neighbours.abs() < 0.01


def test_noise_adds_to_what_is_there_and_scales_with_its_level():
    x = spectrograms().double()
    noise = add_noise(torch.zeros_like(x), KEYS)
    torch.testing.assert_close(add_noise(x, KEYS), x + noise)
    torch.testing.assert_close(add_noise(x, KEYS, level=0.3), x + 3 * noise)
    assert torch.equal(add_noise(x, KEYS, level=0.0), x)


@pytest.mark.parametrize("frames", [1, 3, 5])
def test_noise_fits_sizes_that_four_does_not_divide(frames):
    assert add_noise(torch.zeros(2, frames, 3), KEYS[:2]).count_nonzero() == 2 * frames * 3


def test_roll_is_torch_roll_per_sample():
    x = spectrograms(7)
    shift = torch.tensor([0, 1, -1, 40, -41, 1000, 13])
    expected = torch.stack([row.roll(s, 0) for row, s in zip(x, shift.tolist(), strict=True)])
    assert torch.equal(roll_time(x, shift), expected)


@given(frames=st.integers(0, 9), shift=st.integers(-30, 30))
def test_roll_and_back(frames, shift):
    x = torch.arange(2 * frames).view(2, frames)
    there = roll_time(x, torch.tensor([shift, -shift]))
    assert torch.equal(roll_time(there, torch.tensor([-shift, shift])), x)


def test_gradients_go_through_the_roll():
    x = spectrograms(3, 5, 2).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda s: roll_time(s, torch.tensor([1, 0, -7])), (x,))


def test_shifts_cover_the_half_open_range_evenly():
    keys = torch.arange(20_000)
    shifts = random_shifts(keys, 4)
    assert shifts.dtype == torch.int64
    counts = torch.bincount(shifts + 4, minlength=8)
    assert len(counts) == 8
    assert ((counts - 2500).abs() < 5 * 2500**0.5).all()


def test_spec_augment_wipes_one_stripe_along_each_axis():
    ones = torch.ones(600, 40, 24)
    kept = spec_augment(ones, KEYS, frequency_mask=8, time_mask=20) == 1
    wiped_frames, wiped_bins = ~kept.any(dim=2), ~kept.any(dim=1)
    assert torch.equal(kept, ~(wiped_frames[:, :, None] | wiped_bins[:, None, :]))
    for wiped, widest in ((wiped_frames, 20), (wiped_bins, 8)):
        edges = torch.diff(wiped.int(), dim=1, prepend=torch.zeros(600, 1, dtype=torch.int32)).eq(1).sum(dim=1)
        assert (edges <= 1).all()
        counts = torch.bincount(wiped.sum(dim=1), minlength=widest + 1)
        assert len(counts) == widest + 1
        share = 600 / (widest + 1)
        assert ((counts - share).abs() < 5 * share**0.5).all()
        assert wiped.float().mean(dim=0).min() > 0


def test_spec_augment_fills_and_keeps_the_rest():
    x = spectrograms()
    out = spec_augment(x, KEYS, 8, 20, fill=-9.0)
    assert torch.equal(out, torch.where(out == -9.0, out, x))
    assert (out == -9.0).any()
    assert torch.equal(spec_augment(x, KEYS, 0, 0), x)


def test_masks_wider_than_the_spectrogram_count_as_its_width():
    wide = spec_augment(torch.ones(600, 4, 3), KEYS)
    assert torch.equal(wide, spec_augment(torch.ones(600, 4, 3), KEYS, 3, 4))
    assert (wide.sum(dim=(1, 2)) == 0).any()
    assert (wide.sum(dim=(1, 2)) == 12).any()


@pytest.mark.parametrize(
    "augment",
    [add_noise, spec_augment, lambda x, keys: roll_time(x, random_shifts(keys, 40))],
    ids=["noise", "SpecAugment", "roll"],
)
def test_a_sample_sees_the_same_in_any_batch(augment):
    x = spectrograms()
    together = augment(x, KEYS)
    assert torch.equal(together, augment(x, KEYS))
    order = torch.arange(599, -1, -1)
    assert torch.equal(augment(x[order], KEYS[order]), together[order])
    assert torch.equal(augment(x[5:6], KEYS[5:6]), together[5:6])
    assert not torch.equal(augment(x, KEYS + 1), together)
    assert augment(x[:0], KEYS[:0]).shape == (0, 40, 24)
    assert augment(x.bfloat16(), KEYS).dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: add_noise(torch.zeros(2, 3, 4), KEYS[:1]), "one for each"),
        (lambda: roll_time(torch.zeros(2, 3, 4), torch.tensor([1])), "one int64 each"),
        (lambda: roll_time(torch.zeros(2, 3, 4), torch.tensor([1.0, 2.0])), "one int64 each"),
        (lambda: random_shifts(KEYS, 0), "at least 1"),
        (lambda: spec_augment(torch.zeros(2, 3, 4), KEYS[:1]), "one key for each"),
        (lambda: spec_augment(torch.zeros(2, 3), KEYS[:2]), r"\[B, T, F\]"),
        (lambda: spec_augment(torch.zeros(2, 3, 4), KEYS[:2], -1), "0 or more"),
    ],
)
def test_wrong_calls_say_what_to_do(call, message):
    with pytest.raises(UsageError, match=message):
        call()
