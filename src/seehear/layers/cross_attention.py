"""Attention of some tokens to others: softmax(q k^T * scale) v (Vaswani et al., 2017, sec. 3.2.2).

Legend: B batch, M tokens that ask, N tokens that are asked, D width, E width of queries and keys, h heads.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from seehear.errors import UsageError


def attend_across(query: Tensor, key: Tensor, value: Tensor, heads: int, scale: float) -> Tensor:
    """`query [B, M, E]`, `key [B, N, E]`, `value [B, N, D]` to `[B, M, D]`, heads being runs of channels."""
    q, k, v = (part.unflatten(2, (heads, -1)).transpose(1, 2) for part in (query, key, value))
    return F.scaled_dot_product_attention(q, k, v, scale=scale).transpose(1, 2).flatten(2)


class CrossAttention(nn.Module):
    """Queries of some tokens, keys and values of others, and an output projection.

    Args:
        width: D, a multiple of `heads`.
        heads: h; scores are scaled by (D / h) ** -0.5.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        if width % heads:
            raise UsageError(f"width {width} is no multiple of {heads} heads")
        self.heads, self.scale = heads, (width / heads) ** -0.5
        self.q = nn.Linear(width, width)
        self.kv = nn.Linear(width, 2 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor, others: Tensor) -> Tensor:
        """`tokens [B, M, D]` that read `others [B, N, D]`: `[B, M, D]`."""
        key, value = self.kv(others).chunk(2, dim=2)
        return self.proj(attend_across(self.q(tokens), key, value, self.heads, self.scale))
