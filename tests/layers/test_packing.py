"""Packed sequences give exactly what each sequence alone gives, and never look at each other."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seehear.layers.block import Block
from seehear.layers.packing import Layout, pack, unpack

GROUPS = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 6)), min_size=1, max_size=4)


def _block(norms: tuple[str, ...] = ("audio", "image")) -> Block:
    torch.manual_seed(0)
    block = Block(8, 2, norms).double()
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return block


@given(GROUPS)
def test_unpack_is_the_inverse_of_pack(shapes):
    groups = [torch.randn(b, n, 4) for b, n in shapes]
    packed, layout = pack(groups)
    assert layout.total == packed.shape[0] == sum(b * n for b, n in shapes)
    assert all(torch.equal(a, b) for a, b in zip(groups, unpack(packed, layout), strict=True))


@settings(max_examples=15, deadline=None)
@given(GROUPS, st.integers(0, 4))
def test_a_packed_block_equals_each_sequence_alone_in_value_and_gradient(shapes, cut):
    cut = min(cut, len(shapes))
    groups = [torch.randn(b, n, 8, dtype=torch.float64) for b, n in shapes]
    names = ["audio"] * cut + ["image"] * (len(shapes) - cut)
    weights = [torch.randn_like(g) for g in groups]
    block = _block()

    packed, layout = pack(groups)
    sizes = layout.sizes
    segments = [(n, s) for n, s in (("audio", sum(sizes[:cut])), ("image", sum(sizes[cut:]))) if s]
    fast = unpack(block(packed, layout, segments), layout)
    sum((f * w).sum() for f, w in zip(fast, weights, strict=True)).backward()
    fast_gradients = {n: p.grad.clone() for n, p in block.named_parameters() if p.grad is not None}

    block.zero_grad()
    total = 0.0
    for name, group, weight, quick in zip(names, groups, weights, fast, strict=True):
        for i, sequence in enumerate(group):
            slow = block(sequence, Layout(((1, len(sequence)),)), [(name, len(sequence))])
            torch.testing.assert_close(quick[i], slow, rtol=0, atol=1e-12)
            total = total + (slow * weight[i]).sum()
    total.backward()
    for name, parameter in block.named_parameters():
        if parameter.grad is not None:
            torch.testing.assert_close(fast_gradients[name], parameter.grad, rtol=0, atol=1e-11)


def test_no_gradient_crosses_from_one_sequence_to_another():
    groups = [torch.randn(2, 3, 8, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    packed, layout = pack(groups)
    out = unpack(_block(("joint",))(packed, layout, [("joint", layout.total)]), layout)
    out[0][1].square().sum().backward()
    assert groups[0].grad[1].abs().sum() > 0
    assert groups[0].grad[0].abs().max() == 0
    assert groups[1].grad.abs().max() == 0


def test_attention_equals_torch_multi_head_attention():
    block = _block(("joint",))
    reference = torch.nn.MultiheadAttention(8, 2, batch_first=True).double()
    reference.load_state_dict(
        {
            "in_proj_weight": block.attn.qkv.weight,
            "in_proj_bias": block.attn.qkv.bias,
            "out_proj.weight": block.attn.proj.weight,
            "out_proj.bias": block.attn.proj.bias,
        }
    )
    x = torch.randn(3, 5, 8, dtype=torch.float64)
    packed, layout = pack([x])
    torch.testing.assert_close(unpack(block.attn(packed, layout), layout)[0], reference(x, x, x)[0])
