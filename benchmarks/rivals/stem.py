"""Patch embedding as both rivals do it: convolutions over the whole input, masking afterwards.

Legend: B batch, C channels, H W input, p patch side, N tokens, D width.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.rivals.shape import CHANNELS, Shape


class PatchEmbed(nn.Module):
    """`[B, C, H, W]` to `[B, N, D]`, row-major."""

    def __init__(self, shape: Shape, modality: str):
        super().__init__()
        channels, patch, width = CHANNELS[modality], shape.patch, shape.width
        if shape.stem == "linear":
            self.proj: nn.Module = nn.Conv2d(channels, width, patch, stride=patch)
        else:
            self.proj = HierarchicalStem(channels, patch, width)

    def forward(self, x: Tensor) -> Tensor:
        """All patches of the input."""
        return self.proj(x).flatten(2).transpose(1, 2)


class HierarchicalStem(nn.Module):
    """Convolutions of 4 x 4, 2 x 2 and p / 8, with a norm over the channels and a GELU between."""

    def __init__(self, channels: int, patch: int, width: int):
        super().__init__()
        sides, inner = (4, 2, patch // 8), (max(width // 4, 16), max(width // 2, 32), width)
        sizes = (channels, *inner)
        self.merges = nn.ModuleList(nn.Conv2d(sizes[i], sizes[i + 1], s, stride=s) for i, s in enumerate(sides))
        self.norms = nn.ModuleList(nn.LayerNorm(size) for size in inner[:-1])

    def forward(self, x: Tensor) -> Tensor:
        """`[B, C, H, W]` to `[B, D, H / p, W / p]`."""
        for merge, norm in zip(self.merges[:-1], self.norms, strict=True):
            x = F.gelu(norm(merge(x).movedim(1, -1))).movedim(-1, 1)
        return self.merges[-1](x)


def cut(x: Tensor, patch: int) -> Tensor:
    """Targets of the reconstruction: `[B, C, H, W]` to `[B, N, p * p * C]`, channel fastest."""
    batch, channels, height, width = x.shape
    cells = x.reshape(batch, channels, height // patch, patch, width // patch, patch)
    return cells.permute(0, 2, 4, 3, 5, 1).reshape(batch, -1, patch * patch * channels)
