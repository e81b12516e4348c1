"""With which other clip of the batch each clip is mixed: a keyed permutation that leaves no clip with itself.

Clips of a kind stand together in a drawn order, kinds in a drawn order, and each is given the clip that stands as many
places further on as the most frequent kind has clips. So no clip gets one of its own kind as long as no kind makes up
more than half of the batch; without kinds the order is a single drawn circle. Draws are keyed by the batch's clips,
whatever their order in it.

Legend: B batch, C classes.
"""

import torch
from torch import Tensor

from seehear.errors import UsageError
from seehear.randomness import integers, unique_integers

PURPOSE = "partner"


def partners(keys: Tensor, kinds: Tensor) -> Tensor:
    """Row of each clip's partner, `[B]`, a permutation without fixed points.

    Args:
        keys: `[B]`, of each clip.
        kinds: `[B]` int64; clips of one kind are kept apart where that is possible.

    Raises:
        UsageError: if there are fewer than two clips.
    """
    if len(keys) < 2:
        raise UsageError(f"{len(keys)} clip to be mixed with another", expected="at least 2 in a batch")
    most = (kinds[:, None] == kinds[None, :]).sum(dim=1).max()
    step = torch.where(most < len(keys), most, 1)
    order = unique_integers(keys, 1, PURPOSE)[:, 0].argsort()
    of_kind = integers(keys.sum() + kinds, 1, f"{PURPOSE}/kind")[:, 0]
    order = order[of_kind[order].argsort(stable=True)]
    further = order[(torch.arange(len(keys), device=keys.device) + step) % len(keys)]
    return torch.empty_like(order).scatter_(0, order, further)


def kinds_of(sample_ids: Tensor, labels: Tensor | None) -> Tensor:
    """What must not be mixed, `[B]` int64: the first class of each clip, or, where it has none, the clip itself."""
    if labels is None or not labels.shape[1]:
        return sample_ids
    return torch.where(labels.sum(dim=1) > 0, labels.argmax(dim=1), sample_ids)


def share_a_class(labels: Tensor, partner: Tensor) -> Tensor:
    """Which clips have a class in common with their partner, `[B]` bool, from `labels [B, C]`."""
    return (labels * labels[partner]).sum(dim=1) > 0
