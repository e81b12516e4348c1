"""A transformer block whose tokens also read a context that it does not carry on.

DeepAVFusion (arXiv 2312.01017) runs each block over its fusion tokens and the tokens of a modality, and discards what
comes out in the fusion tokens' places. What is discarded is not computed here: the context gives keys and values only.
The values are the same; of 32 + 49 visible tokens of a masked picture the block maps 49.

Legend: B batch, n tokens, c tokens of the context, D width.
"""

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from seehear.layers.block import Block
from seehear.layers.cross_attention import attend_across


class ContextBlock(Block):
    """A `Block` with one norm set, called with tokens and a context; arguments as of `Block`."""

    def __init__(self, width: int, heads: int, mlp_ratio: float = 4.0, eps: float = 1e-6):
        super().__init__(width, heads, ("joint",), mlp_ratio, eps)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:  # type: ignore[override]
        """`x [B, n, D]` that reads itself and `context [B, c, D]`: `[B, n, D]`."""
        recompute = self.recompute if torch.is_grad_enabled() else "none"
        if recompute == "block":
            return checkpoint(self._all, x, context, use_reentrant=False, preserve_rng_state=False)
        x = self._read(x, context)
        if recompute == "mlp":
            return checkpoint(self._map, x, use_reentrant=False, preserve_rng_state=False)
        return self._map(x)

    def _all(self, x: Tensor, context: Tensor | None) -> Tensor:
        return self._map(self._read(x, context))

    def _read(self, x: Tensor, context: Tensor | None) -> Tensor:
        width, norm, qkv = x.shape[2], self.norm1["joint"], self.attn.qkv
        query, key, value = qkv(norm(x)).chunk(3, dim=2)
        if context is not None:
            seen = F.linear(norm(context), qkv.weight[width:], qkv.bias[width:])
            key, value = (torch.cat(p, dim=1) for p in zip(seen.chunk(2, dim=2), (key, value), strict=True))
        scale = (width / self.attn.heads) ** -0.5
        return x + self.attn.proj(attend_across(query, key, value, self.attn.heads, scale))

    def _map(self, x: Tensor) -> Tensor:
        return x + self.mlp(self.norm2["joint"](x))
