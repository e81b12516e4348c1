"""Classification losses: worked out on paper, by a slow loop, and the fast path equal to it in value and gradient."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seehear.losses.classification import classification_loss, smoothed


def test_targets_on_paper():
    labels = torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.25, 0.75, 0.0, 0.0]])
    found = smoothed(labels, 0.1, torch.tensor([False, True]))
    assert found[0].tolist() == pytest.approx([0.9, 0.025, 0.025, 0.025])
    assert found[1].tolist() == pytest.approx([0.025 + 0.9 * 0.25, 0.025 + 0.9 * 0.75, 0.025, 0.025])


def test_losses_on_paper():
    logits = torch.tensor([[0.0, math.log(3.0)]], dtype=torch.float64)
    one = classification_loss(logits, torch.tensor([[0.0, 1.0]], dtype=torch.float64), True)
    assert one.item() == pytest.approx(-math.log(3 / 4))
    several = classification_loss(logits, torch.tensor([[1.0, 1.0]], dtype=torch.float64), False)
    assert several.item() == pytest.approx(-(math.log(1 / 2) + math.log(3 / 4)) / 2)


@given(st.integers(1, 5), st.integers(2, 7), st.floats(0, 0.5), st.booleans(), st.integers(0, 999))
def test_the_fast_path_is_the_slow_loop_in_value_and_gradient(clips, classes, smoothing, single, seed):
    draws = torch.Generator().manual_seed(seed)
    logits = torch.randn(clips, classes, generator=draws, dtype=torch.float64, requires_grad=True)
    labels = torch.rand(clips, classes, generator=draws, dtype=torch.float64)
    mixed = torch.rand(clips, generator=draws) < 0.5
    fast = classification_loss(logits, smoothed(labels, smoothing, mixed), single)
    slow = torch.stack([_slow(logits[i], labels[i], smoothing, bool(mixed[i]), single) for i in range(clips)])
    torch.testing.assert_close(fast, slow)
    gradients = [torch.autograd.grad(loss.sum(), logits)[0] for loss in (fast, slow)]
    torch.testing.assert_close(*gradients)


def _slow(logits, labels, smoothing, mixed, single):
    count, total = len(logits), torch.zeros((), dtype=torch.float64)
    normaliser = sum(value.exp() for value in logits)
    for value, label in zip(logits, labels, strict=True):
        target = (1 - smoothing) * label + smoothing / count * (1 if mixed else 1 - label)
        share = value.exp() / normaliser if single else 1 / (1 + (-value).exp())
        total = total - target * share.log()
        if not single:
            total = total - (1 - target) * (1 - share).log()
    return total if single else total / count


def test_half_precision_is_lifted_to_fp32():
    loss = classification_loss(torch.zeros(2, 3, dtype=torch.bfloat16), torch.full((2, 3), 1 / 3), True)
    assert loss.dtype == torch.float32
    assert loss.tolist() == pytest.approx([math.log(3)] * 2)
