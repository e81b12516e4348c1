"""Mixup: by a slow loop, with weights of the right distribution, and independent of how a batch is cut."""

import numpy as np
import pytest
import scipy.stats
import torch

from seehear.contracts import Batch
from seehear.errors import UsageError
from seehear.layers.mixup import beta, mixed_waveforms, mixup, partners
from seehear.randomness import Randomness, uniform


def _batch(count: int = 8) -> Batch:
    draws = torch.Generator().manual_seed(1)
    samples = torch.randint(20, 41, (count,), generator=draws)
    waveform = torch.randint(-9000, 12_000, (count, 40), generator=draws).to(torch.int16)
    waveform *= torch.arange(40) < samples[:, None]
    fields = {
        "waveform": waveform,
        "waveform_samples": samples,
        "frames": torch.randint(0, 256, (count, 1, 3, 4, 4), generator=draws).to(torch.uint8),
        "labels": torch.eye(5)[torch.arange(count) % 5],
    }
    return Batch(torch.arange(count) * 17, torch.arange(count), fields)


def _keys(batch: Batch) -> torch.Tensor:
    return Randomness(4, 100).keys(batch.positions, batch.sample_ids)


@pytest.mark.parametrize("image", ["same", "independent"])
def test_a_mixture_is_that_of_a_slow_loop(image):
    batch = _batch()
    keys = _keys(batch)
    made = mixup(batch, keys, 0.5, 10, image)
    weights, pictures = beta(keys, 10, "mixup/weight"), uniform(keys, 1, "mixup/image")[:, 0]
    assert 0 < int(made.mixed.sum()) < len(batch)
    for i in range(len(batch)):
        other, weight = i ^ 1, float(weights[i])
        picture = float(pictures[i]) if image == "independent" else weight
        if not made.mixed[i]:
            other, weight, picture = i, 1.0, 1.0
        expected = weight * batch["labels"][i] + (1 - weight) * batch["labels"][other]
        torch.testing.assert_close(made.labels[i], expected)
        frames = picture * batch["frames"][i].float() + (1 - picture) * batch["frames"][other].float()
        assert (made.batch["frames"][i].float() - frames).abs().max() <= 0.501
        if not made.mixed[i]:
            assert torch.equal(made.batch["waveform"][i], batch["waveform"][i])
            continue
        own, its = (_free_of_mean(batch, row) for row in (i, other))
        length = len(own)
        padded = np.zeros(length)
        padded[: min(length, len(its))] = its[:length]
        sound = weight * own + (1 - weight) * padded
        assert np.abs(made.batch["waveform"][i, :length].numpy() - sound).max() <= 0.51
        assert not made.batch["waveform"][i, length:].any()


def _free_of_mean(batch: Batch, row: int) -> np.ndarray:
    sound = batch["waveform"][row, : int(batch["waveform_samples"][row])].numpy().astype(np.float64)
    return sound - sound.mean()


def test_weights_are_those_of_the_beta_distribution():
    draws = beta(torch.arange(20_000) * 7919, 10, "weights").double().numpy()
    assert scipy.stats.kstest(draws, scipy.stats.beta(10, 10).cdf).pvalue > 0.01


def test_partners_are_the_other_of_an_aligned_pair_whatever_the_order():
    positions = torch.tensor([6, 3, 2, 7, 5, 4])
    found = positions[partners(positions)]
    assert torch.equal(found, positions ^ 1)


def test_a_clip_gets_the_same_in_any_batch():
    whole = _batch(8)
    keys = _keys(whole)
    together = mixup(whole, keys, 0.5, 10)
    rows = slice(4, 8)
    fields = {name: value[rows] for name, value in whole.fields.items()}
    half = mixup(Batch(whole.sample_ids[rows], whole.positions[rows], fields), keys[rows], 0.5, 10)
    assert torch.equal(half.labels, together.labels[rows])
    for name in ("waveform", "frames"):
        assert torch.equal(half.batch[name], together.batch[name][rows])


def test_an_odd_batch_is_refused():
    batch = _batch(3)
    with pytest.raises(UsageError, match="even number"):
        mixup(batch, _keys(batch), 0.5, 10)


def test_silence_of_no_length_stays_silent():
    waveform = torch.zeros(2, 6, dtype=torch.int16)
    found = mixed_waveforms(waveform, torch.tensor([0, 6]), torch.tensor([1, 0]), torch.tensor([0.5, 0.5]))
    assert not found.any()
