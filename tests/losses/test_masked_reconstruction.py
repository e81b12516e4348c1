"""Masked reconstruction: closed form, slow loop, per-patch targets."""

import torch

from seehear.losses.masked_reconstruction import masked_reconstruction


def test_an_offset_of_two_costs_four():
    target = torch.randn(3, 5, 7, dtype=torch.float64)
    torch.testing.assert_close(masked_reconstruction(target + 2, target), torch.tensor(4.0, dtype=torch.float64))


def test_the_slow_loop_agrees_in_value_and_gradient():
    drawn = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    target = torch.randn(2, 3, 4, dtype=torch.float64)
    slow = torch.zeros((), dtype=torch.float64)
    for b in range(2):
        for m in range(3):
            slow = slow + sum((drawn[b, m, v] - target[b, m, v]) ** 2 for v in range(4)) / 4
    slow = slow / 6
    fast = masked_reconstruction(drawn, target)
    torch.testing.assert_close(fast, slow)
    torch.testing.assert_close(torch.autograd.grad(fast, drawn)[0], torch.autograd.grad(slow, drawn)[0])


def test_per_patch_targets_ignore_level_and_contrast():
    drawn, target = torch.randn(2, 3, 9, dtype=torch.float64), torch.randn(2, 3, 9, dtype=torch.float64)
    one = masked_reconstruction(drawn, target, per_patch=True)
    other = masked_reconstruction(drawn, target * 3 + 11, per_patch=True)
    torch.testing.assert_close(one, other, rtol=1e-5, atol=0)
