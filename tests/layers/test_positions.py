"""Positions: the sine-cosine table, and carrying learnt ones to other grids."""

import math

import torch

from seehear.layers.positions import carry_bicubic, carry_nearest, sine_cosine


def test_sine_cosine_by_a_slow_loop():
    table = sine_cosine((2, 3), 8)
    for row in range(2):
        for column in range(3):
            angles = [axis * 10_000 ** (-k / 2) for axis in (row, column) for k in range(2)]
            slow = [f(a) for pair in (angles[:2], angles[2:]) for f in (math.sin, math.cos) for a in pair]
            torch.testing.assert_close(table[row * 3 + column], torch.tensor(slow, dtype=torch.float32))


def test_nearest_copies_the_published_source_index():
    carried = carry_nearest(torch.arange(196.0)[:, None], 512)
    assert torch.equal(carried[:, 0], torch.tensor([float(i * 196 // 512) for i in range(512)]))


def test_bicubic_to_the_same_grid_is_the_identity():
    table = torch.randn(12, 5)
    torch.testing.assert_close(carry_bicubic(table, (3, 4), (3, 4)), table)


def test_bicubic_follows_a_ramp_along_its_own_axis_only():
    """torch's cubic kernel (a = -0.75) bends a ramp by less than 0.05 of a step away from the border."""
    ramp = torch.arange(14.0).repeat_interleave(14)[:, None]
    carried = carry_bicubic(ramp, (14, 14), (28, 7)).view(28, 7)
    expected = (torch.arange(28.0) + 0.5) / 2 - 0.5
    assert (carried[4:-4] - expected[4:-4, None]).abs().max() < 0.05
    assert (carried - carried[:, :1]).abs().max() < 1e-5
