"""GradCache: the contrastive loss of a whole batch in the memory of one piece (Gao et al., arXiv 2101.06983).

The embeddings z_i of every piece are taken without history; the loss L of all of them gives their gradients g_i; then
every piece goes through the method once more, with

    L + P (<z_i, g_i> - its own value)

in the place of its contrastive loss. Its value is L, and the mean over the P pieces has the gradient of L, just as the
mean over pieces of any loss that is a mean over clips has that of the batch: nothing else needs to be scaled. What the
loss itself learns (a temperature) is carried along in the same way, so that every gradient flows where
DistributedDataParallel looks for it.

Legend: B clips of this rank, P pieces of equal size.
"""

import inspect
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from seehear.contracts import Batch, Contrast, Embeds, Method
from seehear.errors import UsageError
from seehear.randomness import Randomness
from seehear.training.precision import autocast

ROUNDING, BF16_ROUNDING = 1e-3, 0.05  # largest relative difference of the two passes that is none of randomness


class GradientCache:
    """Makes the contrast of each piece.

    Args:
        method: on its device.
        randomness: of the run.
        bf16: whether forward passes run under bf16 autocast.

    Raises:
        UsageError: see `cacheable`.
    """

    def __init__(self, method: Method, randomness: Randomness, bf16: bool):
        self._method, self._embeds = method, cacheable(method)
        self._randomness, self._bf16 = randomness, bf16
        self._compared: set[str] = set()

    def contrasts(self, pieces: Sequence[Batch], phase: str) -> list[Contrast | None]:
        """What stands for the contrastive loss in each piece's forward pass; None in a phase without one."""
        device = pieces[0].sample_ids.device
        with torch.no_grad(), autocast(self._bf16, device):
            parts = [self._embeds.embed(piece, self._randomness, phase) for piece in pieces]
        if not parts[0]:
            return [None] * len(pieces)
        joined = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        leaves = {name: rows.requires_grad_() for name, rows in joined.items() if rows.is_floating_point()}
        learnt = [p for p in self._method.parameters() if p.requires_grad]
        with autocast(self._bf16, device):
            loss = self._embeds.loss_from_embeddings(joined)
        value, gradients = loss.detach(), torch.autograd.grad(loss, [*leaves.values(), *learnt], allow_unused=True)
        to_rows = {n: g.chunk(len(pieces)) for n, g in zip(leaves, gradients, strict=False) if g is not None}
        to_learnt = [(p, g) for p, g in zip(learnt, gradients[len(leaves) :], strict=True) if g is not None]

        def contrast_of(piece: int) -> Contrast:
            def contrast(embeddings: Mapping[str, Tensor]) -> Tensor:
                self._compare(parts[piece], embeddings, phase)
                rows = [len(pieces) * (embeddings[name] * flow[piece]).sum() for name, flow in to_rows.items()]
                total = torch.stack(rows + [(parameter * flow).sum() for parameter, flow in to_learnt]).sum()
                return value + (total - total.detach())

            return contrast

        return [contrast_of(piece) for piece in range(len(pieces))]

    def _compare(self, first: Mapping[str, Tensor], second: Mapping[str, Tensor], phase: str) -> None:
        """Once per phase: the second pass must see what the first one saw."""
        if phase in self._compared:
            return
        self._compared.add(phase)
        for name, rows in first.items():
            wide, again = rows.float(), second[name].detach().float()
            difference = ((again - wide).norm() / wide.norm().clamp_min(torch.finfo(torch.float32).tiny)).item()
            if difference > (BF16_ROUNDING if self._bf16 else ROUNDING):
                raise UsageError(
                    f"{name} of the same clips differs by {difference:.1%} between two passes of {phase!r}",
                    expected="equal embeddings, as training.gradient_cache_chunk needs them",
                    cause="the method draws random numbers that are not keyed (nn.Dropout), or looks across clips",
                    cure="draw from seehear.randomness, or leave training.gradient_cache_chunk out",
                )


def cacheable(method: Method) -> Embeds:
    """The method as one whose embeddings' gradients can be cached.

    Raises:
        UsageError: if it has not what that takes.
    """
    offered: object = method  # by what it offers, not by its class
    if isinstance(offered, Embeds) and "contrast" in inspect.signature(offered.forward).parameters:
        return offered
    raise UsageError(
        f"training.gradient_cache_chunk is set, and the gradients of {type(method).__name__} cannot be cached",
        expected="`embed`, `loss_from_embeddings` and a `forward` that takes `contrast` (see seehear.contracts.Embeds)",
        cure="leave training.gradient_cache_chunk out",
    )
