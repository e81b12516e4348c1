"""The transformer block: what it forgets and computes again changes neither values nor gradients, but memory."""

import pytest
import torch
from torch import nn

from seehear.layers.block import Block, set_recompute
from seehear.layers.packing import Layout

LAYOUT = Layout(((2, 7), (3, 5)))
SEGMENTS = (("audio", 14), ("image", 15))


def network(depth=2, dtype=torch.float64):
    torch.manual_seed(0)
    return nn.ModuleList(Block(16, 2, ("audio", "image")) for _ in range(depth)).to(dtype)


def run(blocks, x):
    """Values, all gradients, and the bytes held for the backward pass."""
    held: dict[int, int] = {}

    def note(tensor):
        held[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    weights = {p.untyped_storage().data_ptr() for p in blocks.parameters()}
    x = x.clone().requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        y = x
        for block in blocks:
            y = block(y, LAYOUT, SEGMENTS)
    gradients = torch.autograd.grad(y.square().sum(), [x, *blocks.parameters()])
    return y.detach(), gradients, sum(size for place, size in held.items() if place not in weights)


@pytest.mark.parametrize("recompute", ["mlp", "block"])
def test_recomputing_changes_no_value_and_no_gradient(recompute):
    blocks, x = network(), torch.randn(29, 16, dtype=torch.float64)
    plain = run(blocks, x)
    set_recompute(blocks, recompute)
    again = run(blocks, x)
    assert torch.equal(plain[0], again[0])
    assert all(torch.equal(a, b) for a, b in zip(plain[1], again[1], strict=True))


def test_recomputing_holds_less():
    held = {}
    for recompute in ("none", "mlp", "block"):
        blocks = network(depth=4, dtype=torch.float32)
        set_recompute(blocks, recompute)
        held[recompute] = run(blocks, torch.randn(29, 16))[2]
    assert held["mlp"] < 0.55 * held["none"]
    assert held["block"] < held["mlp"]


def test_every_parameter_of_a_recomputed_block_gets_a_gradient():
    blocks = network(depth=1)
    set_recompute(blocks, "block")
    blocks[0](torch.randn(29, 16, dtype=torch.float64), LAYOUT, SEGMENTS).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in blocks.parameters())
