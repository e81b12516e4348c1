"""Multi-head self-attention over packed tokens (Vaswani et al., "Attention is all you need", 2017, sec. 3.2).

One projection for queries, keys and values of all packed tokens (output rows ordered q, k, v, each split into heads),
attention inside each sequence only, one output projection.

Legend: P packed tokens, B sequences, N tokens, D width, h heads.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seehear.errors import UsageError
from seehear.layers.packing import Layout


class Attention(nn.Module):
    """Self-attention.

    Args:
        width: D, a multiple of `heads`.
        heads: h; scores are scaled by (D / h) ** -0.5.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        if width % heads:
            raise UsageError(f"width {width} is no multiple of {heads} heads")
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """`[P, D]` to `[P, D]`; tokens see only their own sequence."""
        mixed = [
            self._attend(part, *shape)
            for part, shape in zip(self.qkv(x).split(layout.sizes), layout.groups, strict=True)
        ]
        return self.proj(torch.cat(mixed) if len(mixed) > 1 else mixed[0])

    def _attend(self, qkv: Tensor, sequences: int, tokens: int) -> Tensor:
        """Attention of one group: `[B * N, 3 D]` to `[B * N, D]`."""
        q, k, v = qkv.view(sequences, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)  # each [B, h, N, D / h]
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(sequences * tokens, -1)
