"""The siamese ViT: one stack of attention and MLP weights that reads spectrograms and pictures.

Source: AVSiam, arXiv 2403.19638, sec. 3; quirks as its released code has them are options. Modality-specific are only
patch embedding, positions and LayerNorms; the pooled feature is the mean of the tokens after the final norm. All groups
of one call pass through each linear layer once (`layers/packing.py`). With one modality and a leading token this is the
plain ViT (Dosovitskiy et al., 2021).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor, nn

from seehear.contracts import Branch
from seehear.layers.block import Block, ModalityNorm
from seehear.layers.initialisation import initialise
from seehear.layers.modality_tokens import ModalityTokens
from seehear.layers.packing import Group, unpack
from seehear.layers.patches import Stem


class SiameseViT(ModalityTokens):
    """Shared trunk.

    Args:
        grids: token grid of each modality, e.g. {"audio": (8, 64), "image": (14, 14)}.
        channels: of each modality's patches.
        patch: patch side p.
        width: D.
        depth: blocks.
        heads: attention heads.
        stem: patch embedding.
        double_embed: after adding positions, double the tokens (released AVSiam weights expect it).
        leading: tokens before the patches of each sequence, such as a class token.
        block_eps: of the LayerNorms in the blocks (AVSiam's and CAV-MAE's released code 1e-5, timm 1e-6).
        final_eps: of the final LayerNorms.
    """

    def __init__(
        self,
        grids: Mapping[str, tuple[int, ...]],
        channels: Mapping[str, int],
        patch: int,
        width: int,
        depth: int,
        heads: int,
        stem: Stem = "linear",
        double_embed: bool = False,
        leading: int = 0,
        block_eps: float = 1e-5,
        final_eps: float = 1e-6,
    ):
        super().__init__(grids, channels, patch, width, stem, leading=leading, double_embed=double_embed)
        self.blocks = nn.ModuleList(Block(width, heads, tuple(grids), eps=block_eps) for _ in range(depth))
        self.norm = ModalityNorm(tuple(grids), width, final_eps)
        initialise(self)

    def forward(self, groups: Sequence[Group], with_layers: bool = False) -> "Encoded":
        """Tokens after the final norm for every group, in the order given.

        Args:
            groups: of any modalities and lengths; groups of one modality should stand together (fewer norm calls).
            with_layers: also keep the tokens after every block.
        """
        x, layout, segments = self.pack(groups)
        layers: list[Tensor] = []
        for block in self.blocks:
            x = block(x, layout, segments)
            if with_layers:
                layers.append(x)
        return Encoded(unpack(self.norm(x, segments), layout), [unpack(layer, layout) for layer in layers])


@dataclass(frozen=True)
class Encoded:
    """What a trunk returns: `tokens[g]` is `[b, n, D]`; `layers[l][g]` the same after block l, where asked for."""

    tokens: list[Tensor]
    layers: list[list[Tensor]] = field(default_factory=list)

    def branches(self, modalities: Iterable[str]) -> dict[str, Branch]:
        """By modality, where each was one group."""
        layers = [tuple(layer[place] for layer in self.layers) for place in range(len(self.tokens))]
        return {m: Branch(t, own) for m, t, own in zip(modalities, self.tokens, layers, strict=True)}
