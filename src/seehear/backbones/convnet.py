"""A small convolutional trunk for proofs on small pictures: convolution, batch norm, ReLU, a few times over.

No paper's: a stand-in for ResNet-18 where minutes on two cores must do. The last convolution keeps its input's size, so
that 96-pixel pictures give a map of 12 x 12.

Legend: B batch, c input channels, C channels, H W picture or spectrogram, h w map.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from seehear.backbones.resnet import initialise_convolutions
from seehear.errors import UsageError


class ConvNet(nn.Module):
    """See the file's header.

    Args:
        channels: c, of the input.
        widths: C of each convolution; the first is 7 x 7, the others 3 x 3.
        strides: of each convolution.

    Raises:
        UsageError: if there are not as many strides as widths, or none.
    """

    def __init__(self, channels: int, widths: Sequence[int], strides: Sequence[int]):
        super().__init__()
        if not widths or len(widths) != len(strides):
            raise UsageError(f"{len(widths)} widths and {len(strides)} strides", expected="one of each per convolution")
        self.width = widths[-1]
        self.stages = nn.ModuleList()
        for number, (before, after, stride) in enumerate(zip((channels, *widths), widths, strides, strict=False)):
            side = 3 if number else 7
            kernel = nn.Conv2d(before, after, side, stride, padding=side // 2, bias=False)
            self.stages.append(nn.Sequential(kernel, nn.BatchNorm2d(after), nn.ReLU()))
        initialise_convolutions(self)

    def forward(self, x: Tensor) -> list[Tensor]:
        """The maps `[B, C, h, w]` after each convolution of `[B, c, H, W]`."""
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps
