"""Pre-norm transformer block whose weights are shared while its norms are not.

AVSiam (arXiv 2403.19638, sec. 3): attention and MLP are one set for both modalities, each modality has LayerNorms of
its own. With a single norm set this is the plain ViT block (Dosovitskiy et al., 2021): exact GELU, biases, no
LayerScale, no dropout.

Legend: P packed tokens, D width; a segment is a run of packed tokens that use the same norm set.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from seehear.layers.attention import Attention
from seehear.layers.packing import Layout

Segments = Sequence[tuple[str, int]]  # (norm set, packed tokens), in order


class ModalityNorm(nn.ModuleDict):
    """One LayerNorm per norm set, each applied to its own segment of the packed tokens."""

    def __init__(self, names: Sequence[str], width: int, eps: float):
        super().__init__({name: nn.LayerNorm(width, eps=eps) for name in names})

    def forward(self, x: Tensor, segments: Segments) -> Tensor:
        """`[P, D]` to `[P, D]`."""
        if len(segments) == 1:
            return self[segments[0][0]](x)
        parts = x.split([size for _, size in segments])
        return torch.cat([self[name](part) for (name, _), part in zip(segments, parts, strict=True)])


class Mlp(nn.Module):
    """Linear, exact GELU, linear."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """`[P, D]` to `[P, D]`."""
        return self.fc2(nn.functional.gelu(self.fc1(x)))


class Block(nn.Module):
    """`x += attention(norm1(x)); x += mlp(norm2(x))` with the norm set of each segment.

    Args:
        width: D.
        heads: attention heads.
        norms: names of the norm sets, e.g. ("audio", "image").
        mlp_ratio: hidden width of the MLP over D.
        eps: of the LayerNorms (1e-5 in AVSiam's released code).
    """

    def __init__(
        self,
        width: int,
        heads: int,
        norms: Sequence[str] = ("joint",),
        mlp_ratio: float = 4.0,
        eps: float = 1e-5,
    ):
        super().__init__()
        self.norm1 = ModalityNorm(norms, width, eps)
        self.attn = Attention(width, heads)
        self.norm2 = ModalityNorm(norms, width, eps)
        self.mlp = Mlp(width, round(width * mlp_ratio))

    def forward(self, x: Tensor, layout: Layout, segments: Segments) -> Tensor:
        """`[P, D]` to `[P, D]`."""
        x = x + self.attn(self.norm1(x, segments), layout)
        return x + self.mlp(self.norm2(x, segments))


def joint_segments(x: Tensor) -> Segments:
    """All packed tokens `[P, D]` as one segment of the norm set "joint"."""
    return (("joint", x.shape[0]),)
