"""Attention inside each sequence of packed tokens: softmax(q k^T / sqrt(d)) v (Vaswani et al., 2017, sec. 3.2.1).

Three ways to the same values. `attend_by_group` is plain torch, group by group: the oracle, and the way of devices
that have none of their own. On a CPU each group goes through torch's flash kernel and lands in its place of one packed
result; its backward pass always runs in fp32, because the bf16 kernel is six times slower there and less exact. On
CUDA in half precision all sequences go through one call of a kernel for unequal lengths (`varlen_attn`).

Legend: P packed tokens, B sequences of a group, N tokens of each, D width, h heads, d = D / h.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from seehear.layers.packing import Layout

_FLASH = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_FLASH_BACKWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
_HALF = (torch.float16, torch.bfloat16)


def attend(qkv: Tensor, layout: Layout, heads: int) -> Tensor:
    """Mixed values `[P, D]` of queries, keys and values `[P, 3 D]` (in this order, each split into heads)."""
    if torch.compiler.is_exporting():
        return attend_by_group(qkv, layout, heads)  # operations that every device has
    if qkv.device.type == "cpu" and qkv.dtype != torch.float16:
        return _CpuAttention.apply(qkv, layout, heads)
    if _has_varlen(qkv, qkv.shape[1] // (3 * heads)):
        return attend_by_varlen(qkv, layout, heads)
    return attend_by_group(qkv, layout, heads)


def attend_by_group(qkv: Tensor, layout: Layout, heads: int) -> Tensor:
    """As `attend`, one group after the other, by what torch offers on any device."""
    mixed = []
    for part, shape in zip(qkv.split(layout.sizes), layout.groups, strict=True):
        q, k, v = _by_head(part, shape, heads).unbind(0)
        mixed.append(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(part.shape[0], -1))
    return torch.cat(mixed)


def attend_by_varlen(qkv: Tensor, layout: Layout, heads: int) -> Tensor:
    """As `attend`, in one call of CUDA's kernel for sequences of unequal length; half precision only."""
    from torch.nn.attention.varlen import varlen_attn

    q, k, v = qkv.view(qkv.shape[0], 3, heads, -1).unbind(1)
    ends, longest = layout.ends(qkv.device), layout.longest
    mixed = varlen_attn(q, k, v, ends, ends, longest, longest)
    return mixed.flatten(1)  # type: ignore[union-attr]  # a tensor, as nothing else is asked for


def _has_varlen(qkv: Tensor, size: int) -> bool:
    """Whether CUDA's kernel takes these tokens: half precision, heads of 8 to 256 in eights, Ampere or newer."""
    if qkv.device.type != "cuda" or qkv.dtype not in _HALF or size % 8 or size > 256:
        return False
    return torch.cuda.get_device_capability(qkv.device) >= (8, 0)


class _CpuAttention(torch.autograd.Function):
    """Reads each group out of the packed tokens and writes it back into its place; saves no scores."""

    @staticmethod
    def forward(ctx, qkv: Tensor, layout: Layout, heads: int) -> Tensor:
        """`[P, 3 D]` to `[P, D]`; kept for the way back are both, and a normaliser of each query and head."""
        mixed = qkv.new_empty(qkv.shape[0], qkv.shape[1] // 3)
        normalisers = []
        for part, target, shape in _groups(layout, qkv, mixed):
            values, normaliser = _FLASH(*_by_head(part, shape, heads).unbind(0))
            target.view(*shape, heads, -1).copy_(values.transpose(1, 2))
            normalisers.append(normaliser)
        ctx.save_for_backward(qkv, mixed, *normalisers)
        ctx.layout, ctx.heads = layout, heads
        return mixed

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override]
        """Gradient of the values `[P, D]` to that of queries, keys and values `[P, 3 D]`."""
        qkv, mixed, *normalisers = ctx.saved_tensors
        wide = torch.promote_types(qkv.dtype, torch.float32)
        result = torch.empty_like(qkv)
        parts = _groups(ctx.layout, qkv, mixed, gradient, result)
        for (part, values, flow, target, shape), normaliser in zip(parts, normalisers, strict=True):
            q, k, v = _by_head(part, shape, ctx.heads).to(wide).unbind(0)
            values, flow = (t.view(*shape, ctx.heads, -1).transpose(1, 2).to(wide) for t in (values, flow))
            back = _FLASH_BACKWARD(flow, q, k, v, values, normaliser, 0.0, False)
            for place, value in zip(_by_head(target, shape, ctx.heads), back, strict=True):
                place.copy_(value)
        return result, None, None


def _by_head(packed: Tensor, shape: tuple[int, int], heads: int) -> Tensor:
    """`[B * N, 3 D]` as a view `[3, B, h, N, d]`."""
    return packed.view(*shape, 3, heads, -1).permute(2, 0, 3, 1, 4)


def _groups(layout: Layout, *packed: Tensor) -> Iterator[tuple]:
    """Each group's rows of all the packed tensors, and its shape."""
    return zip(*(tensor.split(layout.sizes) for tensor in packed), layout.groups, strict=True)
