"""What both rivals are told: sizes of the network, and masks from outside where results are compared.

Legend: B batch, b clips of a chunk, N token places, n visible ones, m hidden ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

AUDIO, IMAGE = "audio", "image"
CHANNELS = {AUDIO: 1, IMAGE: 3}


@dataclass(frozen=True)
class Shape:
    """Sizes of an AVSiam; the defaults are the released Base.

    Attributes:
        grids: (rows, columns) of tokens of each modality; rows of sound are frequencies.
        patch: patch side.
        width: of the trunk.
        depth: blocks of the trunk.
        heads: of the trunk.
        fusion_depth: joint blocks after the trunk.
        decoder_width: of the decoder.
        decoder_depth: its blocks.
        decoder_heads: its heads.
        stem: "linear", one convolution per patch, or "hierarchical", three.
        double_embed: double the tokens after adding positions.
        ratios: masking ratios of the contrastive pass, the same in both modalities.
        audio_mask: whole rows and columns first ("tf"), or places alone ("unstructured").
        reconstruction_ratio: hidden share of the reconstruction pass.
        temperature: of the contrast.
        classes: outputs of the unused classifier that the published trunks carry.
    """

    grids: Mapping[str, tuple[int, int]]
    patch: int = 16
    width: int = 768
    depth: int = 12
    heads: int = 12
    fusion_depth: int = 2
    decoder_width: int = 512
    decoder_depth: int = 8
    decoder_heads: int = 16
    stem: Literal["linear", "hierarchical"] = "linear"
    double_embed: bool = True
    ratios: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8)
    audio_mask: Literal["tf", "unstructured"] = "tf"
    reconstruction_ratio: float = 0.75
    temperature: float = 0.05
    classes: int = 21_843

    def places(self, modality: str) -> int:
        """Token places N of a modality."""
        rows, columns = self.grids[modality]
        return rows * columns

    def values(self, modality: str) -> int:
        """Values of one patch."""
        return self.patch**2 * CHANNELS[modality]

    def kept(self, modality: str, ratio: float) -> int:
        """Visible tokens at a masking ratio."""
        return int(self.places(modality) * (1 - ratio) + 1e-6)


@dataclass(frozen=True)
class Masks:
    """What is visible in one step, by modality.

    Attributes:
        contrast: chunks of the batch, one per ratio: rows `[b]` and their visible places `[b, n]`.
        visible: of the reconstruction pass, `[B, n]`.
        hidden: all other places, `[B, m]`.
    """

    contrast: Mapping[str, list[tuple[Tensor, Tensor]]]
    visible: Mapping[str, Tensor]
    hidden: Mapping[str, Tensor]
