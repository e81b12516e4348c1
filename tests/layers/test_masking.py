"""Masks keep exactly what they promise, strike whole lines, and depend on nothing but the sample's key."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seehear.errors import UsageError
from seehear.layers.masking import kept, struck_lines, visible_first

KEYS = torch.arange(12) * 7919 + 5


@pytest.mark.parametrize(
    ("tokens", "ratio", "expected"),
    [(512, 0.2, 409), (512, 0.4, 307), (512, 0.6, 204), (512, 0.8, 102), (196, 0.2, 156), (196, 0.6, 78), (40, 0.8, 8)],
)
def test_kept_counts_of_the_sheet(tokens, ratio, expected):
    assert kept(tokens, ratio) == expected


@pytest.mark.parametrize(("ratio", "lines"), [(0.2, (1, 8)), (0.4, (2, 17)), (0.6, (3, 26)), (0.8, (4, 35))])
def test_struck_lines_of_the_sheet(ratio, lines):
    assert struck_lines((8, 64), ratio, "tf") == lines


@pytest.mark.parametrize("ratio", [-0.1, 1.0, 0.99])
def test_a_ratio_that_leaves_nothing_is_refused(ratio):
    with pytest.raises(UsageError, match="masking ratio"):
        kept(40, ratio)


@given(st.sampled_from(["unstructured", "time", "freq", "tf"]), st.integers(1, 8), st.integers(1, 9))
def test_every_order_is_a_permutation(kind, rows, columns):
    order = visible_first(KEYS, (rows, columns), (0.0, 0.5), torch.arange(12) % 2, kind, "x")
    assert torch.equal(order.sort(dim=1).values, torch.arange(rows * columns).expand(12, -1))


@pytest.mark.parametrize(("kind", "axis"), [("time", 0), ("freq", 1)])
def test_structured_masks_hide_whole_lines(kind, axis):
    """At 0.5 of an 8 x 8 grid the struck lines are just the hidden half: what is visible fills whole lines."""
    order = visible_first(KEYS, (8, 8), (0.5,), torch.zeros(12, dtype=torch.int64), kind, "x")
    visible = torch.zeros(12, 64).scatter(1, order[:, : kept(64, 0.5)], 1.0).view(12, 8, 8)
    per_line = visible.sum(dim=1 + axis)
    assert set(per_line.unique().tolist()) == {0.0, 8.0}


def test_tf_hides_untouched_cells_last():
    grid, ratio = (8, 64), 0.8
    order = visible_first(KEYS, grid, (ratio,), torch.zeros(12, dtype=torch.int64), "tf", "x")
    hidden = torch.ones(12, 512).scatter(1, order[:, : kept(512, ratio)], 0.0).view(12, *grid)
    assert ((hidden.sum(dim=2) == 64).sum(dim=1) >= 4).all()  # rows struck
    assert ((hidden.sum(dim=1) == 8).sum(dim=1) >= 35).all()  # columns struck


def test_unstructured_masks_are_uniform():
    keys = torch.arange(4000)
    order = visible_first(keys, (4, 4), (0.5,), torch.zeros(4000, dtype=torch.int64), "unstructured", "x")
    counts = torch.zeros(16).scatter_add(0, order[:, :8].flatten(), torch.ones(32_000))
    assert (counts - 2000).abs().max() < 5 * (4000 * 0.25) ** 0.5


@given(st.permutations(range(12)))
def test_a_mask_depends_on_the_key_alone(shuffle):
    index = torch.arange(12) % 3
    order = visible_first(KEYS, (4, 5), (0.0, 0.3, 0.6), index, "tf", "x")
    other = visible_first(KEYS[shuffle], (4, 5), (0.0, 0.3, 0.6), index[shuffle], "tf", "x")
    assert torch.equal(order[shuffle], other)
