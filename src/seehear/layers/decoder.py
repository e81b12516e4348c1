"""Masked decoder of one or several modalities (CAV-MAE, arXiv 2210.07839; AVSiam, arXiv 2403.19638).

Visible tokens are projected, hidden ones stand as mask tokens; each gets the position of its place and, where there are
several modalities, the vector of its own; all pass through plain blocks; a head per modality draws the values of the
hidden patches. Tokens need not lie in grid order (attention has none), so only the hidden tokens that are asked for are
decoded: all of them, or a subset. Tokens of another kind can stand beside them as a context, without positions
(DeepAVFusion's fusion tokens, arXiv 2312.01017).

Legend: B batch, n visible tokens, m hidden tokens asked for, c tokens of the context, D encoder width, E decoder width,
V values of a patch.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seehear.layers.block import Block, through
from seehear.layers.modality_tokens import Positions
from seehear.layers.positions import sine_cosine


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
        grids: token grid of each modality.
        values: V of each modality.
        positions: learnt from zero (AVSiam), or fixed sine-cosine values (CAV-MAE).
        deviation: of the mask token and the modality vectors at the start (AVSiam 0, CAV-MAE 0.02).
    """

    def __init__(
        self,
        encoder_width: int,
        width: int,
        depth: int,
        heads: int,
        grids: Mapping[str, tuple[int, ...]],
        values: Mapping[str, int],
        positions: Positions = "learnt",
        deviation: float = 0.0,
    ):
        super().__init__()
        self.embed = nn.Linear(encoder_width, width)
        fixed = positions == "fixed"
        tables = {m: sine_cosine(g, width) if fixed else torch.zeros(math.prod(g), width) for m, g in grids.items()}
        self.mask_token = nn.Parameter(_start(width, deviation))
        self.positions = nn.ParameterDict({m: nn.Parameter(t, requires_grad=not fixed) for m, t in tables.items()})
        named = grids if len(grids) > 1 else {}
        self.modalities = nn.ParameterDict({m: nn.Parameter(_start(width, deviation)) for m in named})
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.heads = nn.ModuleDict({m: nn.Linear(width, v) for m, v in values.items()})

    def forward(self, inputs: Mapping[str, Masked], context: Tensor | None = None) -> dict[str, Tensor]:
        """Drawn patch values `[B, m, V]` of each modality's hidden tokens, beside a context `[B, c, D]`."""
        sequences, spans = ([] if context is None else [self.embed(context)]), {}
        start = 0 if context is None else context.shape[1]
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
        place = self.positions[modality][index]
        return place + self.modalities[modality] if self.modalities else place


def _start(width: int, deviation: float) -> Tensor:
    return deviation * torch.randn(width) if deviation else torch.zeros(width)
