"""Heads that draw: whose sound is where in a spectrogram, and what sounds where in a picture.

Source: DeepAVFusion (arXiv 2312.01017) and its released code. Separation draws one mask over the mixture's spectrogram,
told by the mean of the picture's last tokens whose sound is wanted. Segmentation draws classes over the picture, told
by the sound: each of its last tokens passes a linear layer and a norm, then their mean is taken.

Legend: B batch, N tokens, D width, H W of what is drawn.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from seehear.layers.map_decoder import MapDecoder, resized

SEPARATION_LAYERS, SEPARATION_WIDTHS = (0, 2, 5, 8, 11), (768, 384, 192, 96, 48)
SEGMENTATION_LAYERS, SEGMENTATION_WIDTHS = (0, 3, 7, 11), (768, 384, 192, 128)
"""Layers of sound and of the picture, coarsest level first, in trunks of 12 blocks."""


class SeparationHead(nn.Module):
    """Logits of a mask.

    Args:
        channels: of the sound's maps, coarsest level first.
        picture: D of the picture's vector.
        widths: channels of each level.
    """

    def __init__(self, channels: Sequence[int], picture: int, widths: Sequence[int] = SEPARATION_WIDTHS):
        super().__init__()
        self.decoder = MapDecoder(channels, widths, picture, 1)

    def forward(self, maps: Sequence[Tensor], picture: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        """`[B, H, W]` over mel bins and frames.

        Args:
            maps: of the mixture's sound, see `MapDecoder`.
            picture: `[B, D]`, the mean of the last tokens of the picture whose sound is wanted.
            size: (H, W); by default that of the finest level.
        """
        logits = self.decoder(maps, picture)
        return (logits if size is None else resized(logits, size))[:, 0]


class SegmentationHead(nn.Module):
    """Logits of classes at every pixel; one class: sounds or not.

    Args:
        channels: of the picture's maps, coarsest level first.
        sound: D of the sound's tokens.
        classes: number of them.
        widths: channels of each level.
        told: width of what the sound tells.
        last: channels between the finest level and the picture's size.
    """

    def __init__(
        self,
        channels: Sequence[int],
        sound: int,
        classes: int = 1,
        widths: Sequence[int] = SEGMENTATION_WIDTHS,
        told: int = 128,
        last: int = 128,
    ):
        super().__init__()
        self.listen = nn.Sequential(nn.Linear(sound, told), nn.LayerNorm(told))
        self.decoder = MapDecoder(channels, widths, told, last, project=False)
        self.classify = nn.Conv2d(last, classes, 3, padding=1)

    def forward(self, maps: Sequence[Tensor], sound: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        """`[B, classes, H, W]`.

        Args:
            maps: of the picture, see `MapDecoder`.
            sound: its last tokens `[B, N, D]`.
            size: (H, W); by default twice the finest level.
        """
        drawn = nn.functional.gelu(self.decoder(maps, self.listen(sound).mean(dim=1)))
        rows, columns = drawn.shape[2:]
        return self.classify(resized(drawn, size or (2 * rows, 2 * columns)))
