"""Separate ViTs: a stack of blocks for each modality, called as the siamese one is.

The rival of sharing: CAV-MAE's modality encoders (arXiv 2210.07839, sec. 2.3; no norm after the last block), MAViL's
trunks (arXiv 2212.08071), and AVSiam's ablation with separate encoders (arXiv 2403.19638, shared against separate).
"""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from seehear.backbones.siamese_vit import Encoded
from seehear.layers.block import Block, ModalityNorm
from seehear.layers.initialisation import initialise
from seehear.layers.modality_tokens import ModalityTokens, Positions, runs
from seehear.layers.packing import Group, unpack
from seehear.layers.patches import Stem


class SeparateViTs(ModalityTokens):
    """One trunk for each modality.

    Args:
        grids: token grid of each modality.
        channels: of each modality's patches.
        patch: patch side p.
        width: D.
        depth: blocks of each trunk.
        heads: attention heads.
        stem: patch embedding.
        positions: learnt or fixed.
        named: add a learnt vector to the tokens of each modality.
        double_embed: after adding positions, double the tokens.
        leading: tokens before the patches of each sequence.
        block_eps: of the LayerNorms in the blocks.
        final_eps: of the final LayerNorms; None: there are none.
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
        positions: Positions = "learnt",
        named: bool = False,
        double_embed: bool = False,
        leading: int = 0,
        block_eps: float = 1e-5,
        final_eps: float | None = 1e-6,
    ):
        super().__init__(
            grids,
            channels,
            patch,
            width,
            stem,
            positions=positions,
            named=named,
            leading=leading,
            double_embed=double_embed,
        )
        self.trunks = nn.ModuleDict(
            {m: nn.ModuleList(Block(width, heads, (m,), eps=block_eps) for _ in range(depth)) for m in grids}
        )
        self.norm = None if final_eps is None else ModalityNorm(tuple(grids), width, final_eps)
        initialise(self)

    def forward(self, groups: Sequence[Group], with_layers: bool = False) -> Encoded:
        """Tokens of every group after its modality's trunk, in the order given (see `SiameseViT.forward`)."""
        tokens: list[Tensor] = []
        layers: list[list[Tensor]] = []
        for modality, run in runs(groups):
            x, layout, segments = self.pack(run)
            for depth, block in enumerate(self.trunks[modality]):  # type: ignore[arg-type]
                x = block(x, layout, segments)
                if with_layers:
                    layers += [[] for _ in range(depth + 1 - len(layers))]
                    layers[depth] += unpack(x, layout)
            tokens += unpack(x if self.norm is None else self.norm(x, segments), layout)
        return Encoded(tokens, layers)
