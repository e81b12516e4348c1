"""Decoder from maps of several layers to one dense map: a U-Net's way up, told at every level what is wanted.

Source: DeepAVFusion's heads for separation and segmentation (arXiv 2312.01017, released code). Level 0 is as large as
the first map, each next level twice as large. At a level the map of one layer, resized to it, is joined with the level
below, enlarged, and with a vector that is the same everywhere: the condition.

One interface for both kinds of trunks: the maps of a ViT all have one size and are enlarged the more the later they
come (`token_maps`; in DeepAVFusion the finest level gets the DEEPEST layer); those of a convolutional network come
deepest first and have the sizes of the levels by themselves.

Convolutions with one group norm and GELU between are ours: what exactly stands there was not at hand.

Legend: B batch, C channels, E width of the condition, h w of the coarsest level, N tokens, D width.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seehear.errors import UsageError


def token_maps(layers: Sequence[Tensor], grid: tuple[int, int]) -> list[Tensor]:
    """Tokens `[B, N, D]` of each layer as maps `[B, D, h, w]`.

    Raises:
        UsageError: if the grid does not have N places.
    """
    rows, columns = grid
    for tokens in layers:
        if tokens.shape[1] != rows * columns:
            raise UsageError(f"{tokens.shape[1]} tokens on a grid of {rows} x {columns}", expected="one in each place")
    return [tokens.transpose(1, 2).unflatten(2, grid) for tokens in layers]


def spread(layers: Sequence[int], depth: int, published_depth: int = 12) -> tuple[int, ...]:
    """The layers of a trunk of another depth that lie where the published ones of `published_depth` do."""
    return tuple(round(number * (depth - 1) / (published_depth - 1)) for number in layers)


class MapDecoder(nn.Module):
    """See the file's header.

    Args:
        channels: of each level's map, coarsest level first.
        widths: C of each level.
        condition: E; 0: there is none.
        outputs: channels of the dense map.
        project: the condition passes a linear layer of each level's own, C wide; else it is joined as it is.

    Raises:
        UsageError: if there is not one width for each map.
    """

    def __init__(
        self, channels: Sequence[int], widths: Sequence[int], condition: int, outputs: int, project: bool = True
    ):
        super().__init__()
        if not channels or len(channels) != len(widths):
            raise UsageError(f"{len(channels)} maps for {len(widths)} levels", expected="one for each, one at least")
        told = [width if project and condition else condition for width in widths]
        below = [0, *widths[:-1]]
        self.enter = nn.ModuleList(nn.Conv2d(c, w, 1) for c, w in zip(channels, widths, strict=True))
        self.tell = nn.ModuleList(nn.Linear(condition, w) for w in widths if project and condition)
        self.merge = nn.ModuleList(_convolution(w + t + b, w) for w, t, b in zip(widths, told, below, strict=True))
        self.draw = nn.Conv2d(widths[-1], outputs, 3, padding=1)

    def forward(self, maps: Sequence[Tensor], condition: Tensor | None = None) -> Tensor:
        """Values `[B, outputs, h * 2 ** (levels - 1), w * ...]`.

        Args:
            maps: `[B, C, h, w]` of each level, coarsest first; of any size beyond the first.
            condition: `[B, E]`, where there is one.

        Raises:
            UsageError: if the number of maps is another.
        """
        if len(maps) != len(self.enter):
            raise UsageError(f"{len(maps)} maps for {len(self.enter)} levels", expected="one for each")
        rows, columns = maps[0].shape[2:]
        x: Tensor | None = None
        for level, (values, enter, merge) in enumerate(zip(maps, self.enter, self.merge, strict=True)):
            size = (rows << level, columns << level)
            parts = [resized(enter(values), size)]
            if condition is not None:
                told = self.tell[level](condition) if self.tell else condition
                parts.append(told[:, :, None, None].expand(-1, -1, *size))
            if x is not None:
                parts.append(resized(x, size))
            x = merge(torch.cat(parts, dim=1))
        return self.draw(x)


def resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    """`[B, C, h, w]` to another size, bilinear."""
    return x if tuple(x.shape[2:]) == size else F.interpolate(x, size, mode="bilinear", align_corners=False)


def _convolution(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.GroupNorm(1, after), nn.GELU())
