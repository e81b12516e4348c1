"""From tokens to features: mean pooling, and sound and picture side by side.

Legend: B batch, N tokens, D width.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from seehear.contracts import Branch, Features


def features_of(branch: Branch, grid: tuple[int, ...]) -> Features:
    """Mean-pooled features of tokens `[B, N, D]`."""
    pooled = branch.tokens.mean(dim=1)
    return Features(branch.tokens, grid, pooled, F.normalize(pooled, dim=-1), branch.layers)


def unit(vectors: Tensor) -> Tensor:
    """Of length one along the last axis, in fp32 at least."""
    return F.normalize(vectors.to(torch.promote_types(vectors.dtype, torch.float32)), dim=-1)


def join(parts: Sequence[Tensor]) -> Features:
    """Features of the tokens `[B, N_i, D]` of several modalities in one sequence, pooled over all of them."""
    tokens = torch.cat(list(parts), dim=1)
    return features_of(Branch(tokens), (tokens.shape[1],))
