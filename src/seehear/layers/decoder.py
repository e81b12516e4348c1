"""Masked decoder for two modalities (CAV-MAE, arXiv 2210.07839; AVSiam, arXiv 2403.19638).

Visible tokens are projected, hidden ones stand as mask tokens; each gets the position and modality vector of its place;
all pass through plain blocks; a head per modality draws the values of the hidden patches. Tokens need not lie in grid
order (attention has none), so only the hidden tokens that are asked for are decoded: all of them, or a subset.

Legend: B batch, n visible tokens, m hidden tokens asked for, D encoder width, E decoder width, V values of a patch.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seehear.layers.block import Block, through


@dataclass(frozen=True)
class Masked:
    """One modality's input to the decoder: tokens `[B, n, D]` at places `visible [B, n]`, to draw `hidden [B, m]`."""

    tokens: Tensor
    visible: Tensor
    hidden: Tensor


class MaskedDecoder(nn.Module):
    """See the file's header.

    Args:
        encoder_width: D.
        width: E.
        depth: blocks.
        heads: attention heads of each.
        places: token places of each modality.
        values: V of each modality.
    """

    def __init__(
        self,
        encoder_width: int,
        width: int,
        depth: int,
        heads: int,
        places: Mapping[str, int],
        values: Mapping[str, int],
    ):
        super().__init__()
        self.embed = nn.Linear(encoder_width, width)
        self.mask_token = nn.Parameter(torch.zeros(width))
        self.positions = nn.ParameterDict({m: nn.Parameter(torch.zeros(n, width)) for m, n in places.items()})
        self.modalities = nn.ParameterDict({m: nn.Parameter(torch.zeros(width)) for m in places})
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.heads = nn.ModuleDict({m: nn.Linear(width, v) for m, v in values.items()})

    def forward(self, inputs: Mapping[str, Masked]) -> dict[str, Tensor]:
        """Drawn patch values `[B, m, V]` of each modality's hidden tokens."""
        sequences, spans = [], {}
        start = 0
        for modality, masked in inputs.items():
            visible = self.embed(masked.tokens) + self._place(modality, masked.visible)
            hidden = self.mask_token + self._place(modality, masked.hidden)
            sequences += [visible, hidden]
            spans[modality] = (start + visible.shape[1], start + visible.shape[1] + hidden.shape[1])
            start = spans[modality][1]
        x = through(self.blocks, torch.cat(sequences, dim=1))
        return {m: self.heads[m](self.norm(x[:, first:last])) for m, (first, last) in spans.items()}

    def _place(self, modality: str, index: Tensor) -> Tensor:
        """Position and modality vector of places `[B, n]`: `[B, n, E]`."""
        return self.positions[modality][index] + self.modalities[modality]
