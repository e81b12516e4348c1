"""Fused ViTs: a trunk with a class token for each modality, and blocks on top that read both (MAViL, arXiv 2212.08071).

As in the encoder that its authors gave to AV-SUPERB: positions are fixed, no norm follows the last block of a trunk or
of the fusion, and the fusion reads [class token, sound, class token, picture] as one sequence.
"""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from seehear.backbones.separate_vits import SeparateViTs
from seehear.backbones.siamese_vit import Encoded
from seehear.layers.block import Block, through_together
from seehear.layers.initialisation import initialise
from seehear.layers.packing import Group
from seehear.layers.patches import Stem

LEADING = 1
"""Class tokens before the patches of each sequence, and before each modality's tokens after the fusion."""
EPS = 1e-6


class FusedViTs(nn.Module):
    """See the file's header.

    Args:
        grids: token grid of each modality.
        channels: of each modality's patches.
        patch: patch side p.
        width: D.
        depth: blocks of each trunk.
        fusion_depth: blocks over both.
        heads: attention heads.
        stem: patch embedding.
    """

    def __init__(
        self,
        grids: Mapping[str, tuple[int, ...]],
        channels: Mapping[str, int],
        patch: int,
        width: int,
        depth: int,
        fusion_depth: int,
        heads: int,
        stem: Stem = "linear",
    ):
        super().__init__()
        self.trunk = SeparateViTs(
            grids,
            channels,
            patch,
            width,
            depth,
            heads,
            stem,
            positions="fixed",
            leading=LEADING,
            block_eps=EPS,
            final_eps=None,
        )
        self.fusion = nn.ModuleList(Block(width, heads, eps=EPS) for _ in range(fusion_depth))
        initialise(self.fusion)

    def forward(self, groups: Sequence[Group], with_layers: bool = False) -> Encoded:
        """Tokens `[b, 1 + n, D]` of every group after its modality's trunk (see `SeparateViTs.forward`)."""
        return self.trunk(groups, with_layers)

    def fuse(self, parts: Sequence[Tensor]) -> list[Tensor]:
        """Tokens `[B, 1 + n_i, D]` of the trunks through the blocks over both, in the same order and shapes."""
        return through_together(self.fusion, parts, ("joint",))
