"""U-Net decoder: from a tower's maps of a mixture and one vector that says whose sound is wanted, to a mask.

Source: OneAVM (arXiv 2305.19458), framework figure: the condition is tiled over the coarsest map. What is between it
and the mask is not published; here each step enlarges (bilinear), joins the tower's map of that size and convolves
(Ronneberger et al., arXiv 1505.04597), up to the spectrogram itself.

Legend: B batch, C channels, h w of a map, D of the condition.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seehear.backbones.resnet import initialise_convolutions
from seehear.errors import UsageError


class MaskUNet(nn.Module):
    """See the file's header.

    Args:
        channels: C of each map, finest first.
        sizes: (h, w) at which each map is read, finest first; maps of other sizes are resized. The mask has the first.
        condition: D.
        width: channels of the finest level, doubled at each coarser one as far as its map has as many.

    Raises:
        UsageError: if there is not one size for each map, or fewer than two.
    """

    def __init__(self, channels: Sequence[int], sizes: Sequence[tuple[int, int]], condition: int, width: int = 32):
        super().__init__()
        if len(channels) != len(sizes) or len(channels) < 2:
            raise UsageError(f"{len(channels)} maps of {len(sizes)} sizes", expected="one size each, at least two")
        self.sizes = tuple(sizes)
        widths = [width, *(min(width * 2**level, c) for level, c in enumerate(channels) if level)]
        self.bottleneck = _convolution(channels[-1] + condition, widths[-1])
        self.joins = nn.ModuleList(
            _convolution(widths[level + 1] + channels[level], widths[level])
            for level in reversed(range(len(sizes) - 1))
        )
        initialise_convolutions(self)
        self.mask = nn.Conv2d(width, 1, 1)

    def forward(self, maps: Sequence[Tensor], condition: Tensor) -> Tensor:
        """Logits of the mask, `[B, h, w]` of the finest size.

        Args:
            maps: `[B, C, h, w]` each, finest first.
            condition: `[B, D]`.
        """
        read = [_sized(x, size) for x, size in zip(maps, self.sizes, strict=True)]
        tiled = condition[:, :, None, None].expand(-1, -1, *self.sizes[-1]).to(read[-1].dtype)
        x = self.bottleneck(torch.cat([read[-1], tiled], dim=1))
        for join, skip in zip(self.joins, reversed(read[:-1]), strict=True):
            x = join(torch.cat([_sized(x, skip.shape[2:]), skip], dim=1))
        return self.mask(x)[:, 0]


def _convolution(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU())


def _sized(x: Tensor, size: Sequence[int]) -> Tensor:
    return x if x.shape[2:] == tuple(size) else F.interpolate(x, tuple(size), mode="bilinear", align_corners=False)
