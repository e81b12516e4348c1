"""InfoNCE between two modalities (van den Oord et al., arXiv 1807.03748; AVSiam, arXiv 2403.19638, contrastive loss).

With L2-normalised embeddings z and temperature tau, S = z_a z_v^T / tau and

    L(a -> v) = - mean_i log( exp(S_ii) / sum_j exp(S_ij) ),      symmetric: the mean of both directions.

Across ranks every rank takes its own rows against the columns of all ranks (a gather that carries gradients); the mean
over ranks, which DDP takes, is then the loss of the whole batch in value and gradient. Pairs that carry the same
sample id (fewer clips than a batch) are no negatives of each other. Autocast is left out: cosines near 1 are 0.004
apart in bf16, and tau = 0.05 makes that 0.08.

Legend: b local batch, B global batch, D width.
"""

from typing import Literal

import torch
from torch import Tensor, distributed
from torch.nn import functional as F

Directions = Literal["both", "audio-to-image", "image-to-audio"]


def info_nce(
    audio: Tensor,
    image: Tensor,
    sample_ids: Tensor,
    temperature: float | Tensor = 0.05,
    directions: Directions = "both",
) -> Tensor:
    """The loss, a scalar.

    Args:
        audio: `[b, D]`, L2-normalised.
        image: `[b, D]`, L2-normalised.
        sample_ids: `[b]` int64.
        temperature: tau.
        directions: which softmax: over pictures for each sound, over sounds for each picture, or both.
    """
    own = torch.arange(len(audio), device=audio.device) + _rank() * len(audio)
    ids = gather(sample_ids)
    twins = (sample_ids[:, None] == ids[None, :]).scatter(1, own[:, None], False)  # [b, B]
    terms = []
    if directions != "image-to-audio":
        terms.append(_direction(audio, gather(image), own, twins, temperature))
    if directions != "audio-to-image":
        terms.append(_direction(image, gather(audio), own, twins, temperature))
    return torch.stack(terms).mean()


def _direction(query: Tensor, candidates: Tensor, own: Tensor, twins: Tensor, temperature: float | Tensor) -> Tensor:
    with torch.autocast(query.device.type, enabled=False):
        logits = (query @ candidates.T / temperature).masked_fill(twins, float("-inf"))
        return F.cross_entropy(logits, own)


def _rank() -> int:
    return distributed.get_rank() if distributed.is_available() and distributed.is_initialized() else 0


def gather(x: Tensor) -> Tensor:
    """`[b, ...]` of every rank as `[B, ...]`, in rank order; gradients return to the rank they belong to."""
    if not (distributed.is_available() and distributed.is_initialized()) or distributed.get_world_size() == 1:
        return x
    return _Gather.apply(x) if x.is_floating_point() else _gather(x)


def _gather(x: Tensor) -> Tensor:
    parts = [torch.empty_like(x) for _ in range(distributed.get_world_size())]
    distributed.all_gather(parts, x.contiguous())
    return torch.cat(parts)


class _Gather(torch.autograd.Function):
    """All-gather whose backward sums every rank's gradient and returns the local slice."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        return _gather(x)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> Tensor:  # type: ignore[override]
        total = gradient.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total.chunk(distributed.get_world_size())[distributed.get_rank()]
