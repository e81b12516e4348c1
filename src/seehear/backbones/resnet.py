"""ResNet-18: a convolutional trunk that gives the maps of all its stages.

Source: He et al., "Deep residual learning", arXiv 1512.03385, table 1; the names of the parts are those under which
torchvision publishes its weights, so that files of these load as they are, less the classifier. Initialisation: Kaiming
normal by fan-out (He et al., arXiv 1502.01852); the scales of the norms drawn from N(1, 0.02), as EZ-VSL's code has it.

Legend: B batch, c input channels, C channels, H W picture or spectrogram, h w map.
"""

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (64, 128, 256, 512)


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut.

    Args:
        inputs: channels before.
        outputs: channels after.
        stride: of the first convolution, and of the shortcut's 1 x 1 convolution, which there is where shapes change.
    """

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        changes = stride != 1 or inputs != outputs
        self.downsample = (
            nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
            if changes
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """`[B, inputs, H, W]` to `[B, outputs, ceil(H / stride), ceil(W / stride)]`."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(x)) + shortcut)


class ResNet18(nn.Module):
    """See the file's header.

    Args:
        channels: c, of the input: 3 for pictures, 1 for spectrograms.
    """

    width = WIDTHS[-1]

    def __init__(self, channels: int = 3):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, WIDTHS[0], 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        inputs = (WIDTHS[0], *WIDTHS)
        stages = [
            nn.Sequential(BasicBlock(before, after, 1 if number == 0 else 2), BasicBlock(after, after, 1))
            for number, (before, after) in enumerate(zip(inputs, WIDTHS, strict=False))
        ]
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        initialise_convolutions(self)

    def forward(self, x: Tensor) -> list[Tensor]:
        """The maps of the four stages of `[B, c, H, W]`: `[B, C, h, w]` at 1/4, 1/8, 1/16 and 1/32 of its size."""
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, stride=2, padding=1)
        maps = []
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
            maps.append(x)
        return maps


def pooled(maps: Tensor, kind: Literal["max", "mean"]) -> Tensor:
    """The largest or the mean value of each channel over the whole map: `[B, C, h, w]` to `[B, C]`."""
    return maps.amax(dim=(2, 3)) if kind == "max" else maps.mean(dim=(2, 3))


def initialise_convolutions(module: nn.Module) -> None:
    """Initialise every convolution and batch norm below `module` in place (see the file's header)."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.weight, 1.0, 0.02)
            nn.init.zeros_(part.bias)
