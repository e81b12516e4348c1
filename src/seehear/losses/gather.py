"""Rows of all ranks on every rank, with a gradient that returns to the rank it belongs to.

Forward is an all-gather, backward its adjoint, a reduce-scatter: every rank holds a gradient for all B rows, and the
owner of a row gets their sum. It is sent as all-to-all and added in the order of ranks, on every backend: that is the
least a reduce-scatter must send, W - 1 blocks of `[b, D]` per rank (gloo's own reduces whole batches and sends twice as
much), and the sum does not depend on how a backend groups its additions.

Legend: W ranks, b local rows, B = W * b rows of all ranks, D width.
"""

import torch
from torch import Tensor, distributed


def world_size() -> int:
    """Number of processes, 1 without a process group."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def first_row(rows: Tensor) -> int:
    """Where this rank's `rows [b, ...]` start among those of all ranks."""
    return distributed.get_rank() * len(rows) if world_size() > 1 else 0


def gather(x: Tensor) -> Tensor:
    """`[b, ...]` of every rank as `[B, ...]`, in rank order; gradients return to the rank they belong to."""
    if world_size() == 1:
        return x
    return _Gather.apply(x) if x.is_floating_point() else gather_values(x)


def gather_values(x: Tensor) -> Tensor:
    """`[b, ...]` of every rank as `[B, ...]`, in rank order, without gradient."""
    if world_size() == 1:
        return x.detach()
    whole = x.new_empty(world_size(), *x.shape)
    distributed.all_gather(list(whole.unbind()), x.detach().contiguous())
    return whole.flatten(0, 1)


def scatter_sum(gradient: Tensor) -> Tensor:
    """Of every rank's `[B, ...]` the sum over ranks of this rank's rows, `[b, ...]`."""
    if world_size() == 1:
        return gradient
    received = torch.empty_like(gradient, memory_format=torch.contiguous_format)
    distributed.all_to_all_single(received, gradient.contiguous())
    return received.unflatten(0, (world_size(), -1)).sum(dim=0)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        return gather_values(x)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return scatter_sum(gradient)
