"""The formulas give the performance sheet's tables (sections 4.1 and 4.2), and what a counter of products counts."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import flops
from benchmarks.rivals.reference import Reference
from benchmarks.rivals.shape import Shape

GRIDS = {"audio": (8, 64), "image": (14, 14)}
SIZES = {
    "Ti": Shape(GRIDS, width=192, depth=12, heads=3),
    "S": Shape(GRIDS, width=384, depth=12, heads=6),
    "B": Shape(GRIDS),
    "L": Shape(GRIDS, width=1024, depth=24, heads=16),
}
CONTRAST = {  # GFLOP forward by masking ratio, then the mean
    "Ti": (10.4, 7.9, 5.6, 3.5, 1.7, 5.8),
    "S": (35.8, 27.7, 20.2, 13.1, 6.4, 20.7),
    "B": (131.8, 103.5, 76.4, 50.1, 24.8, 77.3),
    "L": (457.7, 360.7, 267.3, 175.6, 86.9, 269.6),
}
RECONSTRUCTION = {  # encoder, fusion, decoder, all
    "Ti": (2.2, 0.4, 44.2, 46.7),
    "S": (8.1, 1.3, 44.2, 53.6),
    "B": (31.2, 5.2, 44.3, 80.7),
    "L": (109.3, 9.2, 44.3, 162.8),
}
STEP = {"Ti": 158, "S": 223, "B": 474, "L": 1297}


@pytest.mark.parametrize("size", SIZES)
def test_the_contrastive_pass_is_the_sheets(size):
    shape = SIZES[size]
    found = [flops.contrast(shape, ratio) / 1e9 for ratio in shape.ratios] + [flops.mean_contrast(shape) / 1e9]
    assert found == pytest.approx(CONTRAST[size], abs=0.06)


@pytest.mark.parametrize("size", SIZES)
def test_the_reconstruction_pass_is_the_sheets(size):
    parts = (flops.hidden_encoder, flops.fusion, flops.decoder, flops.reconstruction)
    assert [part(SIZES[size]) / 1e9 for part in parts] == pytest.approx(RECONSTRUCTION[size], abs=0.06)


@pytest.mark.parametrize("size", SIZES)
def test_a_step_is_the_sheets(size):
    assert flops.step(SIZES[size], 1) / 1e9 == pytest.approx(STEP[size], abs=0.6)


@pytest.mark.parametrize("stem", ["linear", "hierarchical"])
def test_a_counter_of_matrix_products_counts_the_same(stem):
    """All of R0's forward passes by torch's own counter."""
    shape = Shape({"audio": (4, 10), "image": (6, 6)}, width=64, depth=3, heads=4, decoder_width=32, stem=stem)
    clips, network = 5, Reference(shape, "matrix")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.step_losses(torch.randn(clips, 160, 64), torch.randn(clips, 3, 96, 96))
    similarities = 2 * clips * clips * shape.width
    assert counter.get_total_flops() == similarities + flops.step(shape, clips) / flops.TRAINING
