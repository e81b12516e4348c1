"""From patches to tokens: what each modality has of its own before the first block.

A patch embedding and positions; where a method asks for them a vector that names the modality (CAV-MAE, arXiv
2210.07839, sec. 2.3) and tokens that stand before the patches (the class token of ViT; registers).

Legend: b sequences of a group, n visible tokens, N token places, K leading tokens, V values of a patch, D width,
P packed tokens.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from seehear.layers.block import Segments
from seehear.layers.packing import Group, Layout
from seehear.layers.patches import PatchEmbedding, Stem
from seehear.layers.positions import sine_cosine

Positions = Literal["learnt", "fixed"]
START_SCALE = 0.1
"""Of learnt positions: from scratch, content must outweigh position; at 1.0 all mean tokens start out nearly equal."""


class ModalityTokens(nn.Module):
    """Patch embedding and positions of each modality.

    Args:
        grids: token grid of each modality, e.g. {"audio": (8, 64), "image": (14, 14)}.
        channels: of each modality's patches.
        patch: patch side p.
        width: D.
        stem: patch embedding.
        positions: sine-cosine values to start from at a tenth of their size, or at full size and fixed.
        named: add a learnt vector of its own to the tokens of each modality.
        leading: K, tokens without a place before the patches of each sequence.
        double_embed: after adding positions, double the tokens (released AVSiam weights expect it).
    """

    def __init__(
        self,
        grids: Mapping[str, tuple[int, ...]],
        channels: Mapping[str, int],
        patch: int,
        width: int,
        stem: Stem = "linear",
        *,
        positions: Positions = "learnt",
        named: bool = False,
        leading: int = 0,
        double_embed: bool = False,
    ):
        super().__init__()
        self.grids, self.width, self.leading, self.double_embed = dict(grids), width, leading, double_embed
        self.patch_embed = nn.ModuleDict({m: PatchEmbedding(patch, channels[m], width, stem) for m in grids})
        learnt = positions == "learnt"
        scale = START_SCALE if learnt else 1.0
        self.positions = nn.ParameterDict(
            {m: nn.Parameter(scale * sine_cosine(g, width), requires_grad=learnt) for m, g in grids.items()}
        )
        self.names = nn.ParameterDict({m: nn.Parameter(0.02 * torch.randn(width)) for m in grids} if named else {})
        self.first = nn.ParameterDict(
            {m: nn.Parameter(0.02 * torch.randn(leading, width)) for m in grids} if leading else {}
        )

    def embed(self, group: Group) -> Tensor:
        """Tokens `[b, K + n, D]` of a group before the first block."""
        x = self._placed(group)
        if not self.leading:
            return x
        return torch.cat([self.first[group.modality].to(x.dtype).expand(len(x), -1, -1), x], dim=1)

    def pack(self, groups: Sequence[Group]) -> tuple[Tensor, Layout, Segments]:
        """Tokens of all groups in a row `[P, D]`, where each lies, and of which modality each stretch is."""
        layout = Layout(tuple((len(g.places), self.leading + g.places.shape[1]) for g in groups))
        packed, segments = [], []
        for modality, run in runs(groups):
            packed.append(self._joined(modality, run))
            segments.append((modality, packed[-1].shape[0]))
        return torch.cat(packed), layout, tuple(segments)

    def _joined(self, modality: str, run: list[Group]) -> Tensor:
        """All tokens of groups of one modality `[P, D]`; one call of the embedding where no token leads."""
        if self.leading:
            return torch.cat([self.embed(group).flatten(0, 1) for group in run])
        patches, places = (
            torch.cat([g.patches.flatten(0, 1) for g in run]),
            torch.cat([g.places.flatten() for g in run]),
        )
        return self._placed(Group(modality, patches, places))

    def _placed(self, group: Group) -> Tensor:
        x = self.patch_embed[group.modality](group.patches) + self.positions[group.modality][group.places]
        if self.names:
            x = x + self.names[group.modality]
        return 2 * x if self.double_embed else x


def runs(groups: Sequence[Group]) -> list[tuple[str, list[Group]]]:
    """Neighbours of one modality together."""
    found: list[tuple[str, list[Group]]] = []
    for group in groups:
        if not found or found[-1][0] != group.modality:
            found.append((group.modality, []))
        found[-1][1].append(group)
    return found
