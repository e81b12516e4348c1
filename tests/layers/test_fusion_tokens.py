"""Fusion blocks against slow loops, pair by pair, and the block with a context against the plain block."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from seehear.errors import UsageError
from seehear.layers.block import set_recompute, through_together
from seehear.layers.context_block import ContextBlock
from seehear.layers.fusion_tokens import FusionBlock, PairReading, all_pairs

D, HEADS, COUNTS = 8, 2, (3, 2, 2)
KINDS = ("factorized", "dense", "token")


def _noisy(module):
    torch.manual_seed(3)
    module = module.double()
    for parameter in module.parameters():
        parameter.data = torch.randn_like(parameter) / math.sqrt(parameter.shape[-1])
    return module


def _inputs(batch=2, image=5, audio=4):
    torch.manual_seed(4)
    shapes = ((batch, sum(COUNTS), D), (batch, image, D), (batch, audio, D))
    return [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]


def _affine(layer, x):
    return torch.stack([(row * x).sum() for row in layer.weight]) + layer.bias


def _slow_attention(queries, keys, values, width):
    """Token by token, head by head; every head's scores are scaled by (D / h) ** -0.5."""
    outputs = []
    for query in queries:
        heads = []
        for head in range(HEADS):
            q, ks, vs = ([x.chunk(HEADS)[head] for x in each] for each in ([query], keys, values))
            weights = torch.stack([(q[0] * k).sum() / math.sqrt(width / HEADS) for k in ks]).exp()
            heads.append(sum(w * v for w, v in zip(weights / weights.sum(), vs, strict=True)))
        outputs.append(torch.cat(heads))
    return outputs


def _slow_cross(layer, tokens, others):
    both = [_affine(layer.kv, o) for o in others]
    mixed = _slow_attention([_affine(layer.q, t) for t in tokens], [b[:D] for b in both], [b[D:] for b in both], D)
    return [_affine(layer.proj, m) for m in mixed]


def _slow_read(layer, tokens, others):
    mixed = _slow_attention(
        [_affine(layer.q, t) for t in tokens], [_affine(layer.k, o) for o in others],
        [_affine(layer.v, o) for o in others], D,
    )  # fmt: skip
    return [_affine(layer.proj, m) for m in mixed]


def _norm(layer, x):
    return (x - x.mean()) / torch.sqrt(x.var(unbiased=False) + 1e-5) * layer.weight + layer.bias


def _slow_block(block, kind, tokens, image, audio):
    """One clip, `[F, D]`, straight from the paper's and the release's equations."""
    T = [_norm(block.norm_tokens, t) for t in tokens]
    v, a = [_norm(block.norm_image, x) for x in image], [_norm(block.norm_audio, x) for x in audio]
    if kind == "token":
        read = _slow_read(block.read, T, v + a)
    elif kind == "dense":
        read = _slow_read(block.read, T, [torch.cat([x, y]) for x in v for y in a])
    else:
        fusion, of_image, of_audio = T[:3], T[3:5], T[5:]
        summed_v, summed_a = _slow_cross(block.read.image, of_image, v), _slow_cross(block.read.audio, of_audio, a)
        pairs = [torch.cat([x, y]) for y in summed_a for x in summed_v]
        read = _slow_read(block.read.both, fusion, pairs) + summed_v + summed_a
    out = []
    for t, r in zip(T, read, strict=True):
        y = t + r
        hidden = _affine(block.mlp.fc1, _norm(block.norm2, y))
        out.append(y + _affine(block.mlp.fc2, hidden * 0.5 * (1 + torch.erf(hidden / math.sqrt(2)))))
    return torch.stack(out)


@pytest.mark.parametrize("pairs", ["separate", "explicit"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ratio", [0.5, 1.0])
def test_a_fusion_block_is_the_slow_loop_in_value_and_gradient(kind, ratio, pairs):
    block, inputs = _noisy(FusionBlock(D, HEADS, COUNTS, kind, ratio, 2.0, pairs)), _inputs()
    found = block(*inputs)
    expected = torch.stack([_slow_block(block, kind, *clip) for clip in zip(*inputs, strict=True)])
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    weights = torch.randn_like(found)
    towards = [*inputs, *block.parameters()]
    fast, slow = (torch.autograd.grad((x * weights).sum(), towards) for x in (found, expected))
    for one, other in zip(fast, slow, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_every_parameter_and_both_modalities(kind):
    block, inputs = _noisy(FusionBlock(D, HEADS, COUNTS, kind)), _inputs()
    block(*inputs).square().sum().backward()
    assert all(p.grad is not None for p in block.parameters())
    moved = [n for n, p in block.named_parameters() if p.grad.abs().max() > 1e-9]
    keys = [n for n, _ in block.named_parameters() if n.endswith(".k.bias")]  # shifts all scores alike: no effect
    assert set(moved) >= {n for n, _ in block.named_parameters()} - set(keys)
    assert all(x.grad.abs().sum() > 0 for x in inputs)


@given(
    image=st.integers(1, 7), audio=st.integers(1, 7), heads=st.sampled_from([1, 2, 4]), scale=st.sampled_from([0.1, 30])
)
def test_all_pairs_in_linear_time_are_all_pairs_laid_out(image, audio, heads, scale):
    torch.manual_seed(image * 10 + audio)
    reading = PairReading(D, heads, 0.5 if heads < 4 else 1.0, "explicit").double()
    tokens, v, a = (scale * torch.randn(2, n, D, dtype=torch.float64) for n in (3, image, audio))
    laid_out = reading(tokens, v, a)
    reading.pairs = "separate"
    torch.testing.assert_close(reading(tokens, v, a), laid_out, rtol=1e-9, atol=1e-9)


def test_pairs_hold_picture_then_sound():
    v, a = torch.arange(6.0).view(1, 3, 2), -torch.arange(4.0).view(1, 2, 2) - 1
    pairs = all_pairs(v, a)
    assert pairs.shape == (1, 6, 4)
    assert pairs[0, 3].tolist() == [2.0, 3.0, -3.0, -4.0]


def test_fusion_proper_reads_only_the_aggregators_sums():
    """With aggregators' outputs held still, the fusion tokens get nothing of the modalities from elsewhere."""
    block, (tokens, image, audio) = _noisy(FusionBlock(D, HEADS, COUNTS)), _inputs()
    for reader in (block.read.image, block.read.audio):
        reader.proj.weight.data.zero_()
    grads = torch.autograd.grad(block(tokens, image, audio)[:, :3].sum(), (image, audio))
    assert all(g.abs().max() == 0 for g in grads)


def test_heads_that_do_not_fit_are_refused():
    with pytest.raises(UsageError, match="multiples of the heads"):
        FusionBlock(8, 4, COUNTS, "dense", ratio=0.25)
    with pytest.raises(UsageError, match="no multiple"):
        FusionBlock(9, 2, COUNTS)


@pytest.mark.parametrize("recompute", ["none", "mlp", "block"])
def test_a_block_with_a_context_is_the_plain_block_without_the_contexts_outputs(recompute):
    block, (context, x, _) = _noisy(ContextBlock(D, HEADS)), _inputs()
    set_recompute(block, recompute)
    found = block(x, context)
    both = torch.cat([context, x], dim=1)
    normed = F.layer_norm(both, (D,), block.norm1["joint"].weight, block.norm1["joint"].bias, 1e-6)
    q, k, v = (t.unflatten(2, (HEADS, -1)).transpose(1, 2) for t in block.attn.qkv(normed).chunk(3, dim=2))
    mixed = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(D / HEADS), dim=3) @ v
    y = both + block.attn.proj(mixed.transpose(1, 2).flatten(2))
    z = F.layer_norm(y, (D,), block.norm2["joint"].weight, block.norm2["joint"].bias, 1e-6)
    expected = (y + block.mlp.fc2(F.gelu(block.mlp.fc1(z))))[:, context.shape[1] :]
    torch.testing.assert_close(found, expected)
    for one, other in zip(
        *(torch.autograd.grad(t.square().sum(), [x, context, *block.parameters()]) for t in (found, expected)),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_a_block_without_a_context_is_the_block_of_the_other_methods():
    from seehear.layers.block import Block

    block, (_, x, _) = _noisy(ContextBlock(D, HEADS)), _inputs()
    plain = Block(D, HEADS, eps=1e-6).double()
    plain.load_state_dict(block.state_dict())
    (expected,) = through_together([plain], [x], ("joint",))
    torch.testing.assert_close(block(x), expected)
