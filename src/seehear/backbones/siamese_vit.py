"""The siamese ViT: one stack of attention and MLP weights that reads spectrograms and pictures.

Source: AVSiam, arXiv 2403.19638, sec. 3; quirks as its released code has them are options. Modality-specific are only
patch embedding, positions and LayerNorms. No class token; the pooled feature is the mean of the tokens after the
final norm. All groups of one call pass through each linear layer once (`layers/packing.py`).

Legend: b sequences of a group, n visible tokens, N token places, V values of a patch, D width, P packed tokens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seehear.layers.block import Block, ModalityNorm, Segments
from seehear.layers.initialisation import initialise
from seehear.layers.packing import Layout, unpack
from seehear.layers.patches import PatchEmbedding, Stem
from seehear.layers.positions import sine_cosine

POSITION_SCALE = 0.1  # from scratch, content must outweigh position: at 1.0 all mean tokens start out nearly equal


@dataclass(frozen=True)
class Group:
    """Sequences of equal length of one modality: `patches [b, n, V]` from token places `places [b, n]`."""

    modality: str
    patches: Tensor
    places: Tensor


class SiameseViT(nn.Module):
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
        final_eps: of the final LayerNorms.
    """

    def __init__(
        self,
        grids: Mapping[str, tuple[int, int]],
        channels: Mapping[str, int],
        patch: int,
        width: int,
        depth: int,
        heads: int,
        stem: Stem = "linear",
        double_embed: bool = False,
        final_eps: float = 1e-6,
    ):
        super().__init__()
        self.grids, self.width, self.double_embed = dict(grids), width, double_embed
        self.patch_embed = nn.ModuleDict({m: PatchEmbedding(patch, channels[m], width, stem) for m in grids})
        self.blocks = nn.ModuleList(Block(width, heads, tuple(grids)) for _ in range(depth))
        self.norm = ModalityNorm(tuple(grids), width, final_eps)
        initialise(self)
        self.positions = nn.ParameterDict(
            {m: nn.Parameter(POSITION_SCALE * sine_cosine(g, width)) for m, g in grids.items()}
        )

    def embed(self, group: Group) -> Tensor:
        """Tokens `[b, n, D]` of a group before the first block."""
        x = self.patch_embed[group.modality](group.patches) + self.positions[group.modality][group.places]
        return 2 * x if self.double_embed else x

    def forward(self, groups: Sequence[Group], with_layers: bool = False) -> "Encoded":
        """Tokens after the final norm for every group, in the order given.

        Args:
            groups: of any modalities and lengths; groups of one modality should stand together (fewer norm calls).
            with_layers: also keep the tokens after every block.
        """
        x, layout, segments = self._pack(groups)
        layers: list[Tensor] = []
        for block in self.blocks:
            x = block(x, layout, segments)
            if with_layers:
                layers.append(x)
        return Encoded(unpack(self.norm(x, segments), layout), [unpack(layer, layout) for layer in layers])

    def _pack(self, groups: Sequence[Group]) -> tuple[Tensor, Layout, Segments]:
        """Embed runs of groups of one modality at once and lay all tokens in a row."""
        layout = Layout(tuple(tuple(g.places.shape) for g in groups))  # type: ignore[misc]
        packed, segments = [], []
        for modality, run in _runs(groups):
            flat = Group(
                modality,
                torch.cat([g.patches.flatten(0, 1) for g in run]),
                torch.cat([g.places.flatten() for g in run]),
            )
            packed.append(self.embed(flat))
            segments.append((modality, packed[-1].shape[0]))
        return torch.cat(packed), layout, tuple(segments)


@dataclass(frozen=True)
class Encoded:
    """What the trunk returns: `tokens[g]` is `[b, n, D]`; `layers[l][g]` the same after block l, where asked for."""

    tokens: list[Tensor]
    layers: list[list[Tensor]]


def _runs(groups: Sequence[Group]) -> list[tuple[str, list[Group]]]:
    runs: list[tuple[str, list[Group]]] = []
    for group in groups:
        if not runs or runs[-1][0] != group.modality:
            runs.append((group.modality, []))
        runs[-1][1].append(group)
    return runs
