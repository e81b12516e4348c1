"""Towers that give maps at several depths: what finding and taking apart ask of an encoder.

Three kinds: two ResNet-18, two small stand-ins, or AVSiam's shared siamese ViT (arXiv 2403.19638), whose tokens after
some of its blocks, laid out on their grid, serve as maps. All ViT maps have one size; `pyramid` says at which sizes a
U-Net should read them: the deepest as it is, each earlier one twice as large (as DeepAVFusion's decoder does, arXiv
2312.01017).

Legend: B batch, c input channels, C channels, H W picture or bands x frames, h w map.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from seehear.backbones.convnet import ConvNet
from seehear.backbones.resnet import ResNet18
from seehear.backbones.siamese_vit import SiameseViT
from seehear.errors import UsageError
from seehear.layers.packing import whole
from seehear.layers.patches import Stem, cut_picture

Kind = Literal["resnet18", "convnet", "siamese_vit"]


@dataclass(frozen=True)
class ConvNetConfig:
    """The small towers: a convolution for each width."""

    widths: tuple[int, ...] = (32, 64, 96, 128)
    image_strides: tuple[int, ...] = (2, 2, 2, 1)
    audio_strides: tuple[int, ...] = (4, 2, 2, 2)


@dataclass(frozen=True)
class SiameseConfig:
    """AVSiam's trunk; the defaults are its Base."""

    patch: int = 16
    width: int = 768
    depth: int = 12
    heads: int = 12
    stem: Stem = "linear"


class MapTowers(nn.Module):
    """See the file's header.

    Args:
        kind: of tower.
        sizes: (H, W) of each modality's input.
        channels: c of each modality's input.
        convnet: the small towers.
        siamese: the siamese ViT.

    Attributes:
        width: C of the deepest maps.
        pyramid: of each modality, C and the size (h, w) to read it at, of every map, the finest first.

    Raises:
        UsageError: if a ViT's input is no multiple of its patch.
    """

    def __init__(
        self,
        kind: Kind,
        sizes: Mapping[str, tuple[int, int]],
        channels: Mapping[str, int],
        convnet: ConvNetConfig = ConvNetConfig(),
        siamese: SiameseConfig = SiameseConfig(),
    ):
        super().__init__()
        self.patch = siamese.patch if kind == "siamese_vit" else 0
        self.pyramid: dict[str, list[tuple[int, tuple[int, int]]]] = {}
        if self.patch:
            self._siamese(sizes, channels, siamese)
            return
        for modality, c in channels.items():
            tower = _tower(kind, modality, c, convnet)
            self.add_module(modality, tower)
            self.width = tower.width
            with torch.device("meta"):
                maps = _tower(kind, modality, c, convnet).eval()(torch.empty(1, c, *sizes[modality]))
            self.pyramid[modality] = [(x.shape[1], (x.shape[2], x.shape[3])) for x in maps]

    def _siamese(self, sizes: Mapping[str, tuple[int, int]], channels: Mapping[str, int], c: SiameseConfig) -> None:
        for modality, (height, width) in sizes.items():
            if height % c.patch or width % c.patch:
                raise UsageError(f"{modality} of {height} x {width}", expected=f"multiples of the patch, {c.patch}")
        grids = {modality: (height // c.patch, width // c.patch) for modality, (height, width) in sizes.items()}
        self.shared = SiameseViT(grids, channels, c.patch, c.width, c.depth, c.heads, stem=c.stem)
        self.width = c.width
        count = min(c.depth, max(1, c.patch.bit_length() - 1))
        self.taken = [c.depth * (k + 1) // count - 1 for k in range(count)]  # blocks
        scales = [2 ** (count - 1 - k) for k in range(count)]
        self.pyramid = {m: [(c.width, (h * s, w * s)) for s in scales] for m, (h, w) in grids.items()}

    def grid(self, modality: str) -> tuple[int, int]:
        """(h, w) of the deepest map."""
        return self.pyramid[modality][-1][1]

    def forward(self, values: Mapping[str, Tensor]) -> dict[str, list[Tensor]]:
        """Maps `[B, C, h, w]` of each modality's `[B, c, H, W]`, the finest or earliest first."""
        if not self.patch:
            return {modality: self.get_submodule(modality)(x) for modality, x in values.items()}
        encoded = self.shared([whole(modality, cut_picture(x, self.patch)) for modality, x in values.items()], True)
        found = {}
        for place, modality in enumerate(values):
            taken = [encoded.layers[block][place] for block in self.taken[:-1]] + [encoded.tokens[place]]
            found[modality] = [tokens.transpose(1, 2).unflatten(2, self.grid(modality)) for tokens in taken]
        return found


def _tower(kind: Kind, modality: str, channels: int, convnet: ConvNetConfig) -> ResNet18 | ConvNet:
    if kind == "resnet18":
        return ResNet18(channels)
    strides = convnet.audio_strides if modality == "audio" else convnet.image_strides
    return ConvNet(channels, convnet.widths, strides)
