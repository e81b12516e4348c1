"""Attention over packed tokens: every way to it gives what torch's attention gives sequence by sequence."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from seehear.layers.packed_attention import attend, attend_by_group, attend_by_varlen
from seehear.layers.packing import Layout

LAYOUT = Layout(((2, 7), (3, 1), (1, 12), (2, 7)))


def random_qkv(layout, width, dtype=torch.float64, device="cpu"):
    return torch.randn(layout.total, 3 * width, dtype=dtype, device=device).requires_grad_()


def by_softmax(qkv, layout, heads):
    """One sequence after the other, written out."""
    mixed, first = [], 0
    for sequences, tokens in layout.groups:
        for _ in range(sequences):
            q, k, v = qkv[first : first + tokens].view(tokens, 3, heads, -1).permute(1, 2, 0, 3)
            weights = (q @ k.transpose(1, 2) * q.shape[-1] ** -0.5).softmax(dim=-1)
            mixed.append((weights @ v).transpose(0, 1).reshape(tokens, -1))
            first += tokens
    return torch.cat(mixed)


def with_gradient(way, qkv, layout, heads, flow):
    mixed = way(qkv, layout, heads)
    return mixed.detach(), *torch.autograd.grad(mixed, qkv, flow)


@pytest.mark.parametrize("way", [attend, attend_by_group])
@settings(max_examples=25, deadline=None)
@given(
    groups=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 9)), min_size=1, max_size=4),
    heads=st.integers(1, 3),
    size=st.sampled_from([1, 4, 8]),
)
def test_values_and_gradients_are_those_of_each_sequence_alone(way, groups, heads, size):
    layout = Layout(tuple(groups))
    qkv = random_qkv(layout, heads * size)
    flow = torch.randn(layout.total, heads * size, dtype=torch.float64)
    expected = with_gradient(by_softmax, qkv, layout, heads, flow)
    # the flash kernel holds its sums of exponentials in float32 at best, whatever the dtype
    torch.testing.assert_close(with_gradient(way, qkv, layout, heads, flow), expected, atol=1e-6, rtol=1e-6)


def test_bf16_gradients_are_no_worse_than_torchs():
    wide, flow = random_qkv(LAYOUT, 32), torch.randn(LAYOUT.total, 32, dtype=torch.float64)
    truth = with_gradient(by_softmax, wide, LAYOUT, 4, flow)[1]
    half = wide.detach().bfloat16().requires_grad_()
    errors = {}
    for way in (attend, attend_by_group):
        gradient = with_gradient(way, half, LAYOUT, 4, flow.bfloat16())[1]
        assert gradient.dtype == torch.bfloat16
        errors[way] = ((gradient.double() - truth).norm() / truth.norm()).item()
    assert errors[attend] < 1.1 * errors[attend_by_group]
    assert errors[attend] < 0.01


def test_without_gradients_nothing_is_saved():
    qkv = random_qkv(LAYOUT, 8).detach()
    mixed = attend(qkv, LAYOUT, 2)
    assert not mixed.requires_grad
    torch.testing.assert_close(mixed, by_softmax(qkv, LAYOUT, 2), atol=1e-6, rtol=1e-6)


def test_the_ends_of_all_sequences():
    assert LAYOUT.ends(torch.device("cpu")).tolist() == [0, 7, 14, 15, 16, 17, 29, 36, 43]
    assert LAYOUT.longest == 12


def test_ends_first_asked_for_in_inference_mode_still_serve_training():
    with torch.inference_mode():
        ends = Layout(((3, 4),)).ends(torch.device("cpu"))
    assert ends.tolist() == [0, 4, 8, 12]
    assert ends.dtype == torch.int32
    assert not ends.is_inference()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_one_call_for_unequal_lengths_equals_group_by_group():
    qkv = random_qkv(LAYOUT, 64, torch.bfloat16, "cuda")
    flow = torch.randn(LAYOUT.total, 64, dtype=torch.bfloat16, device="cuda")
    ours = with_gradient(attend_by_varlen, qkv, LAYOUT, 2, flow)
    torch.testing.assert_close(ours, with_gradient(attend_by_group, qkv, LAYOUT, 2, flow), atol=2e-2, rtol=2e-2)


def test_one_call_for_unequal_lengths_is_laid_out_right(monkeypatch):
    """The kernel itself needs a GPU; what it is given does not."""

    def kernel(q, k, v, ends, key_ends, longest, longest_key):
        assert ends is key_ends
        assert longest == longest_key == max((ends[1:] - ends[:-1]).tolist())
        parts = [
            F.scaled_dot_product_attention(*(x[a:b].transpose(0, 1) for x in (q, k, v))).transpose(0, 1)
            for a, b in zip(ends.tolist(), ends.tolist()[1:], strict=False)
        ]
        return torch.cat(parts)

    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", kernel)
    qkv = random_qkv(LAYOUT, 12)
    torch.testing.assert_close(attend_by_varlen(qkv, LAYOUT, 3), by_softmax(qkv, LAYOUT, 3), atol=1e-6, rtol=1e-6)
