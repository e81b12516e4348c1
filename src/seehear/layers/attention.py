"""Multi-head self-attention over packed tokens (Vaswani et al., "Attention is all you need", 2017, sec. 3.2).

One projection for queries, keys and values of all packed tokens (output rows ordered q, k, v, each split into heads),
attention inside each sequence only, one output projection.

Legend: P packed tokens, B sequences, N tokens, D width, h heads.
"""

from torch import Tensor, nn

from seehear.errors import UsageError
from seehear.layers.packed_attention import attend
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
        return self.proj(attend(self.qkv(x), layout, self.heads))
